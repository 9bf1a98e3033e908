import type { FeedHeader } from '@boardwire/contracts';
import type { Database, Queryable } from '@boardwire/database';
import { eraseEvents } from '../redactions/redaction-store.ts';
import type { FeedPlace } from '../feeds/feed-items.ts';

/** An accepted item that its board's log has not got yet. */
export interface WaitingItem extends FeedPlace {
  position: number;
  board: string;
  oseq: number;
  content: FeedHeader;
  headerBytes: number;
  salt: Buffer | null;
  data: Buffer | null;
  /** It was redacted before it came to its board, and doesn't come there any more. */
  isRedacted: boolean;
}

interface Row extends Omit<WaitingItem, 'content' | 'headerBytes'> {
  header: Buffer;
}

/** What is accepted and not yet handed over: within a feed positions grow with oseq, because its row is locked. */
export class HandoverStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async boards(): Promise<string[]> {
    const rows = await this.#database.query<{ board: string }>('SELECT DISTINCT board FROM handover ORDER BY board');
    return rows.map(({ board }) => board);
  }

  async depth(): Promise<number> {
    return (await this.#database.query<{ depth: number }>('SELECT count(*) AS depth FROM handover'))[0]!.depth;
  }

  async next(board: string, limit: number): Promise<WaitingItem[]> {
    const rows = await this.#database.query<Row>(
      `SELECT position, board, room, site, epoch, oseq, f.header, salt, data, r.room IS NOT NULL AS "isRedacted"
       FROM handover JOIN feed_item f USING (room, site, epoch, oseq) LEFT JOIN redaction r USING (room, site, source, id)
       WHERE board = $1 ORDER BY position LIMIT $2`,
      [board, limit],
    );
    // The bytes were parsed strictly when they came in.
    return rows.map(({ header, ...row }) => ({
      ...row,
      content: JSON.parse(header.toString()) as FeedHeader,
      headerBytes: header.length,
    }));
  }

  /** What chat refused is remembered as a hole; either way the feed goes on. */
  done(items: readonly WaitingItem[], refused: readonly { item: WaitingItem; reason: string }[]): Promise<void> {
    return this.#database.transaction(async (transaction) => {
      for (const { item, reason } of refused) {
        // oxlint-disable-next-line no-await-in-loop -- seldom any
        await noteHole(transaction, item, reason);
      }
      await eraseRedacted(transaction, items);
      await transaction.query('DELETE FROM handover WHERE position = ANY ($1::bigint[])', [
        items.map(({ position }) => position),
      ]);
    });
  }
}

/** A redaction that was taken at the same time as its event may not have found it: here both are in. */
async function eraseRedacted(transaction: Queryable, items: readonly WaitingItem[]): Promise<void> {
  for (const { room, content, isRedacted } of items) {
    const { site: origin, source, id, redacts } = content;
    const erased = redacts ?? (isRedacted ? { origin, source, id } : undefined);
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    if (erased !== undefined) await eraseEvents(transaction, room, [erased]);
  }
}

async function noteHole(transaction: Queryable, item: WaitingItem, reason: string): Promise<void> {
  await transaction.query(
    `INSERT INTO feed_hole (room, site, epoch, oseq, hash, header, sigs, reason)
     SELECT room, site, epoch, oseq, hash, header, sigs, $5 FROM feed_item
     WHERE room = $1 AND site = $2 AND epoch = $3 AND oseq = $4 ON CONFLICT DO NOTHING`,
    [item.room, item.site, item.epoch, item.oseq, reason],
  );
}
