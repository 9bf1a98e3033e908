import type { Queryable } from '@boardwire/database';
import type { FeedPlace } from './feed-items.ts';

/** The state of this site's feed of a room, in its newest epoch. */
export interface OwnFeed extends FeedPlace {
  board: string;
  subjects: string[];
  n: number;
  hash: Buffer;
  state: 'open' | 'frozen';
  boardEpoch: string | null;
  boardSeq: number | null;
}

const columns = `room, site, epoch, board, subjects, n, hash, state, board_epoch AS "boardEpoch", board_seq AS "boardSeq"`;
const newest = `FROM feed JOIN room ON room.id = feed.room WHERE board = $1 AND site = $2 ORDER BY ordinal DESC LIMIT 1`;

export async function ownFeed(database: Queryable, board: string, site: string): Promise<OwnFeed | undefined> {
  return (await database.query<OwnFeed>(`SELECT ${columns} ${newest}`, [board, site]))[0];
}

/** The same, and nobody else writes into it until the transaction ends. */
export async function lockOwnFeed(transaction: Queryable, { room, site, epoch }: FeedPlace): Promise<OwnFeed> {
  const [feed] = await transaction.query<OwnFeed>(
    `SELECT ${columns} FROM feed JOIN room ON room.id = feed.room
     WHERE room = $1 AND site = $2 AND epoch = $3 FOR UPDATE OF feed`,
    [room, site, epoch],
  );
  return feed!;
}

export async function storeGrowth(
  transaction: Queryable,
  feed: OwnFeed,
  { n, hash, kid, at }: { n: number; hash: Buffer; kid: string; at: { epoch: string; seq: number } },
): Promise<void> {
  await transaction.query(
    `UPDATE feed SET n = $4, hash = $5, board_epoch = $6, board_seq = $7,
       kid = CASE WHEN $4 > n THEN $8 ELSE kid END, grown_at = CASE WHEN $4 > n THEN now() ELSE grown_at END
     WHERE room = $1 AND site = $2 AND epoch = $3`,
    [feed.room, feed.site, feed.epoch, n, hash, at.epoch, at.seq, kid],
  );
}

/** From here on the board's log is still to come into the feed. */
export async function holdPlace(
  database: Queryable,
  { room, site, epoch }: FeedPlace,
  at: { epoch: string; seq: number },
): Promise<void> {
  await database.query(
    `UPDATE feed SET board_epoch = $4, board_seq = $5
     WHERE room = $1 AND site = $2 AND epoch = $3 AND board_epoch IS DISTINCT FROM $4`,
    [room, site, epoch, at.epoch, at.seq],
  );
}
