import type { SyncBoard } from '@boardwire/contracts';
import { isConnectionError, type Database } from '@boardwire/database';
import { AppError, type Logger, type Loop } from '@boardwire/service-kit';
import { ownFeed } from './own-feed-store.ts';

/** Seqs of a board whose content was removed; all of them. */
export type RemovedSeqs = (board: string, signal: AbortSignal) => Promise<number[]>;

export interface OwnRedactionsOptions {
  database: Database;
  siteId: string;
  removed: RemovedSeqs;
  logger: Logger;
}

const lookEveryMs = 1_000;
const beatEveryMs = 250;

/**
 * Takes the data of removed events out of the own feeds: header and hash stay, so that the feed is as verifiable as
 * before. `/sync` counts a board's removals; which ones they are is asked for when the count has risen. Every replica
 * does it: the second finds nothing left to do.
 */
export class OwnRedactions {
  readonly #options: OwnRedactionsOptions;
  readonly #told = new Map<string, number>();
  readonly #done = new Map<string, number>();

  constructor(options: OwnRedactionsOptions) {
    this.#options = options;
  }

  /** What chat last said of its boards. */
  look(boards: readonly Pick<SyncBoard, 'slug' | 'removals'>[]): void {
    for (const { slug, removals = 0 } of boards) this.#told.set(slug, removals);
  }

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    const beater = setInterval(() => loop.beat(), beatEveryMs);
    try {
      while (!loop.signal.aborted) {
        // oxlint-disable-next-line no-await-in-loop -- one pass after the other
        await this.pass(loop.signal);
        // oxlint-disable-next-line no-await-in-loop
        await loop.idle(lookEveryMs);
      }
    } finally {
      clearInterval(beater);
    }
  }

  async pass(signal: AbortSignal): Promise<void> {
    const behind = [...this.#told].filter(([board, removals]) => removals !== (this.#done.get(board) ?? 0));
    for (const [board, removals] of behind) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- seldom more than one
        if (await this.#redact(board, signal)) this.#done.set(board, removals);
      } catch (error) {
        if (!isConnectionError(error) && !(error instanceof AppError)) throw error;
        this.#options.logger.warn({ event: 'feed.redaction_later', board, err: error });
      }
    }
  }

  /** False while a removed event may still be on its way into the feed, with the content it had when it was read. */
  async #redact(board: string, signal: AbortSignal): Promise<boolean> {
    const { database, siteId, removed } = this.#options;
    const feed = await ownFeed(database, board, siteId);
    if (feed === undefined) return false;
    const seqs = await removed(board, signal);
    await database.query(redact, [feed.room, siteId, seqs]);
    return seqs.every((seq) => seq <= (feed.boardSeq ?? 0));
  }
}

/** A restored board gives a seq anew: what is removed now is the event that had it last. */
const redact = `
  WITH newest AS (
    SELECT DISTINCT ON (feed_item.board_seq) room, site, epoch, oseq FROM feed_item JOIN feed USING (room, site, epoch)
    WHERE room = $1 AND site = $2 AND feed_item.board_seq = ANY ($3::bigint[]) ORDER BY feed_item.board_seq, ordinal DESC, oseq DESC
  )
  UPDATE feed_item f SET data = NULL, salt = NULL FROM newest
  WHERE (f.room, f.site, f.epoch, f.oseq) = (newest.room, newest.site, newest.epoch, newest.oseq) AND f.data IS NOT NULL`;
