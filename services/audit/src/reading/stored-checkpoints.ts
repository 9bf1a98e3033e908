import type { Queryable } from '@boardwire/database';

export interface StoredCheckpoint {
  size: number;
  root: Buffer;
  note: string;
  atMs: number;
}

const select = `SELECT size, root, note, (extract(epoch FROM at) * 1000)::float8 AS "atMs" FROM checkpoint WHERE era = $1`;

/** The newest checkpoint of an epoch, or the one of a size; undefined when there is none. */
export async function newestCheckpoint(
  database: Queryable,
  era: number,
  size?: number,
): Promise<StoredCheckpoint | undefined> {
  const [row] = await database.query<StoredCheckpoint>(
    `${select} AND (size = $2 OR $2 IS NULL) ORDER BY size DESC LIMIT 1`,
    [era, size ?? null],
  );
  return row;
}

/** An epoch's checkpoints, the newest first. */
export function newestCheckpoints(database: Queryable, era: number, limit: number): Promise<StoredCheckpoint[]> {
  return database.query<StoredCheckpoint>(`${select} ORDER BY size DESC LIMIT $2`, [era, limit]);
}
