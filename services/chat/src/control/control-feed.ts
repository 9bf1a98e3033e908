import { isConnectionError, type Database } from '@boardwire/database';
import { AppError, type Loop } from '@boardwire/service-kit';
import type { BoardWatch } from '../boards/board-watch.ts';
import type { ChangeClock } from '../boards/change-clock.ts';
import { bounds } from '../bounds.ts';

/** A row by which rights change. */
export interface ControlRow {
  version: number;
  kind: 'session_revoked' | 'board_changed' | 'membership_changed' | 'rights_changed' | 'ignores_changed';
  sessionId: string | null;
  accountId: string | null;
  boardId: number | null;
  userId: string | null;
  at: Date;
}

/** Keeps what one kind of row changes, for those who ask `/sync`. */
export interface ControlBook {
  readonly kind: ControlRow['kind'];
  take(rows: readonly ControlRow[]): Promise<void> | void;
  /** The database holds another past than the one known here. */
  reload?(): Promise<void>;
  prune?(oldestMs: number): void;
}

export interface ControlFeedOptions {
  database: Database;
  clock: ChangeClock;
  boards: BoardWatch;
  books: readonly ControlBook[];
}

const pruneEveryMs = 60_000;

/** Follows the rows by which rights change, in the order of their versions, and hands them to the books. */
export class ControlFeed {
  readonly #options: ControlFeedOptions;
  #version = 0;
  #prunedMs = 0;
  #wake: (() => void) | undefined;

  constructor(options: ControlFeedOptions) {
    this.#options = options;
  }

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      let hasMore = false;
      try {
        // oxlint-disable-next-line no-await-in-loop -- polling
        hasMore = await this.#look();
      } catch (error) {
        if (!isConnectionError(error)) throw error;
      }
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(hasMore ? 0 : bounds.watchEveryMs, woken);
    }
  }

  /** Looks again now rather than in a moment. */
  poke(): void {
    this.#wake?.();
  }

  /** @returns whether there may be more. */
  async #look(): Promise<boolean> {
    const { database, clock, boards, books } = this.#options;
    const found = await database.prepared<ControlRow & { current: number }>(newer, [
      this.#version,
      bounds.controlKeptMs / 1_000,
    ]);
    const rows = found.filter(({ version }) => version !== null);
    if (this.#version > found[0]!.current) await this.#reload();
    this.#version = rows.at(-1)?.version ?? Math.min(this.#version, found[0]!.current);
    // Boards first: a membership may be of one that was just made.
    if (rows.some(({ kind }) => kind === 'board_changed')) await boards.refresh();
    for (const book of books) {
      const own = rows.filter(({ kind }) => kind === book.kind);
      // oxlint-disable-next-line no-await-in-loop -- a handful
      if (own.length > 0) await book.take(own);
    }
    if (rows.length > 0) clock.release();
    await this.#prune();
    return rows.length === bounds.controlPage;
  }

  async #reload(): Promise<void> {
    for (const book of this.#options.books) {
      // oxlint-disable-next-line no-await-in-loop -- a handful
      await book.reload?.();
    }
  }

  async #prune(): Promise<void> {
    if (performance.now() - this.#prunedMs < pruneEveryMs) return;
    this.#prunedMs = performance.now();
    for (const book of this.#options.books) book.prune?.(Date.now() - bounds.controlKeptMs);
    const keptSeconds = (2 * bounds.controlKeptMs) / 1_000;
    await this.#options.database.query("DELETE FROM control_change WHERE at < now() - $1 * interval '1 second'", [
      keptSeconds,
    ]);
  }
}

/**
 * Always at least one row, which tells the newest version there is. A database without the rows we know of was restored
 * from a backup: what it holds is read from the start.
 */
const newer = {
  name: 'control_changes',
  sql: `
    SELECT s.control_version AS current, c.version, c.kind, c.session_id AS "sessionId", c.account_id AS "accountId",
      c.board_id AS "boardId", c.user_id AS "userId", c.at
    FROM site s LEFT JOIN LATERAL (
      SELECT * FROM control_change
      WHERE version > CASE WHEN $1 > s.control_version THEN 0 ELSE $1 END AND at > now() - $2 * interval '1 second'
      ORDER BY version LIMIT ${bounds.controlPage}
    ) c ON true ORDER BY c.version`,
  timeoutMs: 2_000,
};

/** What `/sync` may be answered from: an old picture would hide revocations. */
export function assertFresh(boards: BoardWatch): void {
  if (boards.ageMs === Infinity) throw new AppError('starting');
  if (boards.ageMs > 3_000) throw new AppError('database_unavailable', { detail: 'the boards are not known any more' });
}
