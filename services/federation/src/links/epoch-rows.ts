import { feedEpochRecordSchema, type FeedEpochRecord } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import type { Envelope } from '@boardwire/signing';

/** One epoch of one feed, as far as this site has it. */
export interface EpochRow {
  site: string;
  epoch: string;
  ordinal: number;
  n: number;
  /** Hex. */
  hash: string;
  state: 'open' | 'frozen';
  /** What the record says of the epoch before; nothing for a first one. */
  after: FeedEpochRecord['after'];
}

/** Every epoch of every feed of a room, the oldest of each site first. */
export async function epochRows(database: Queryable, room: string): Promise<EpochRow[]> {
  const rows = await database.query<Omit<EpochRow, 'after'> & { record: Envelope | null }>(
    `SELECT site, epoch, ordinal, n, encode(hash, 'hex') AS hash, state, CASE WHEN ordinal > 0 THEN record END AS record
     FROM feed WHERE room = $1 ORDER BY site, ordinal`,
    [room],
  );
  return rows.map(({ record, ...row }) => ({ ...row, after: record === null ? undefined : afterOf(record) }));
}

/** Its signature was checked before it was stored. */
function afterOf({ payload }: Envelope): FeedEpochRecord['after'] {
  return feedEpochRecordSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString())).after;
}

/** Epochs that were followed by another one, and of which this site lacks something their site stands by. */
export function unfinished(rows: readonly EpochRow[]): { site: string; epoch: string; n: number; upTo: number }[] {
  return rows.flatMap(({ site, after }) => {
    const former = after && rows.find((row) => row.site === site && row.epoch === after.epoch);
    if (former === undefined || former.state === 'frozen' || former.n >= after!.n) return [];
    return { site, epoch: former.epoch, n: former.n, upTo: after!.n };
  });
}
