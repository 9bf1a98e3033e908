import type { Queryable } from '@boardwire/database';

export interface HashRange {
  room: string;
  site: string;
  epoch: string;
  from: number;
  to: number;
}

/** Hex hashes of a feed's headers from `from` on without a hole; what was refused here has one too. */
export type HashesOf = (range: HashRange) => Promise<string[]>;

export function headerHashesOver(database: Queryable): HashesOf {
  return async ({ room, site, epoch, from, to }) => {
    const rows = await database.query<{ oseq: number; hash: string }>(hashes, [room, site, epoch, from, to]);
    return rows.filter(({ oseq }, at) => oseq === from + at).map(({ hash }) => hash);
  };
}

const hashes = `
  SELECT oseq, encode(hash, 'hex') AS hash FROM (
    SELECT oseq, hash FROM feed_item WHERE room = $1 AND site = $2 AND epoch = $3 AND oseq BETWEEN $4 AND $5
    UNION ALL
    SELECT oseq, hash FROM feed_hole WHERE room = $1 AND site = $2 AND epoch = $3 AND oseq BETWEEN $4 AND $5
  ) AS places ORDER BY oseq`;
