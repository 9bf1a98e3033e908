import type { Queryable } from '@boardwire/database';

export interface StoredCheckpoint {
  size: number;
  root: Buffer;
  /** The signed note, with the lines of those who have cosigned it. */
  note: string;
  atMs: number;
}

export interface WantedCheckpoint {
  size?: number | undefined;
  /** So many have cosigned it, at least. The newest checkpoint of a log that grows has none for some seconds. */
  witnesses?: number | undefined;
}

const select = `
  SELECT size, root, (extract(epoch FROM at) * 1000)::float8 AS "atMs",
    note || coalesce((SELECT string_agg(line, '' ORDER BY name) FROM cosignature
      WHERE cosignature.era = checkpoint.era AND cosignature.size = checkpoint.size), '') AS note
  FROM checkpoint WHERE era = $1`;

/** From the newest on, as far as there are enough; the key of the table has this order. */
const cosignedSize = `
  SELECT size FROM cosignature WHERE era = $1 AND (size = $2 OR $2 IS NULL)
  GROUP BY size HAVING count(*) >= $3 ORDER BY size DESC LIMIT 1`;

/** The newest checkpoint of an epoch, or the one of a size; undefined when there is none. */
export async function newestCheckpoint(
  database: Queryable,
  era: number,
  { size, witnesses = 0 }: WantedCheckpoint = {},
): Promise<StoredCheckpoint | undefined> {
  const which = witnesses > 0 ? `size = (${cosignedSize})` : '(size = $2 OR $2 IS NULL)';
  const values = [era, size ?? null, ...(witnesses > 0 ? [witnesses] : [])];
  const [row] = await database.query<StoredCheckpoint>(`${select} AND ${which} ORDER BY size DESC LIMIT 1`, values);
  return row;
}

/** An epoch's checkpoints, the newest first. */
export function newestCheckpoints(database: Queryable, era: number, limit: number): Promise<StoredCheckpoint[]> {
  return database.query<StoredCheckpoint>(`${select} ORDER BY size DESC LIMIT $2`, [era, limit]);
}
