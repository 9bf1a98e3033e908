import { isConnectionError } from '@boardwire/database';
import type { Logger, Loop } from '@boardwire/service-kit';
import type { BoardWatch } from '../boards/board-watch.ts';
import { bounds } from '../bounds.ts';
import type { ChatMetrics } from '../metrics.ts';
import type { LimitedBoard, RetentionStore } from './retention-store.ts';

export interface RetentionOptions {
  store: RetentionStore;
  boards: Pick<BoardWatch, 'refresh'>;
  metrics: ChatMetrics;
  logger: Logger;
  everyMs: number;
}

/** They keep what a board forgets: audit its records, federation its feeds. */
const followers = ['audit', 'federation'] as const;

/**
 * Lets go of events that have outlived their board's retention, oldest first, and never before the mirror, audit and
 * federation have them, unless one of those has been behind for a week: then readers' promise that content ends goes
 * before theirs, and is alarmed.
 */
export class Retention {
  readonly #waiting = new Set<string>();

  constructor(private readonly options: RetentionOptions) {
    options.metrics.retentionWaits(() => this.#waiting.size);
  }

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- now and then
      await this.#prune(loop).catch((error: unknown) => {
        if (!isConnectionError(error)) this.options.logger.error({ event: 'retention.failed', err: error });
      });
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(this.options.everyMs);
    }
  }

  async #prune(loop: Loop): Promise<void> {
    const boards = await this.options.store.limitedBoards();
    for (const slug of this.#waiting) if (!boards.some((board) => board.slug === slug)) this.#waiting.delete(slug);
    for (const board of boards) {
      if (loop.signal.aborted) return;
      // oxlint-disable-next-line no-await-in-loop -- one board after the other
      await this.#pruneBoard(board, loop);
    }
  }

  /** Rows go one pass after readers were told: by then every replica knows that they are not to be read any more. */
  async #pruneBoard(board: LimitedBoard, loop: Loop): Promise<void> {
    const { store, boards } = this.options;
    await this.#removeRows(board, loop);
    let { pruned } = board;
    while (!loop.signal.aborted) {
      loop.beat();
      // oxlint-disable-next-line no-await-in-loop -- page by page
      const last = await this.#mayGo({ ...board, pruned });
      if (last <= pruned) break;
      // oxlint-disable-next-line no-await-in-loop
      await store.raisePruned(board.id, last);
      pruned = last;
    }
    if (pruned > board.pruned) await boards.refresh();
  }

  async #removeRows({ id, pruned }: LimitedBoard, loop: Loop): Promise<void> {
    if (pruned === 0) return;
    let removed: number = bounds.pruneRowsMax;
    while (removed === bounds.pruneRowsMax && !loop.signal.aborted) {
      loop.beat();
      // oxlint-disable-next-line no-await-in-loop -- portion by portion
      removed = await this.options.store.removeRows(id, pruned);
      this.options.metrics.pruned(removed);
    }
  }

  /** The last seq that may be let go. */
  async #mayGo(board: LimitedBoard): Promise<number> {
    const { store, logger } = this.options;
    const { due, overdue } = await store.expired(board);
    if (due <= board.pruned) {
      this.#waiting.delete(board.slug);
      return board.pruned;
    }
    const marks = await store.marks(board);
    const kept = Math.min(board.relayed, ...followers.map((follower) => marks.get(follower) ?? 0));
    if (kept >= due) this.#waiting.delete(board.slug);
    else this.#waiting.add(board.slug);
    const { slug, relayed } = board;
    if (Math.min(overdue, relayed) > Math.max(kept, board.pruned)) {
      logger.error({ event: 'retention.not_waited', board: slug, overdue, relayed, marks: Object.fromEntries(marks) });
    }
    return Math.max(Math.min(due, kept), Math.min(overdue, relayed));
  }
}
