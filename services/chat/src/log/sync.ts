import { randomBytes } from 'node:crypto';
import type { SyncBoard, SyncResponse } from '@boardwire/contracts';
import { AppError, type Loop } from '@boardwire/service-kit';
import { assertFresh, type Revocations } from '../accounts/revocations.ts';
import type { BoardWatch, WatchedBoard } from '../boards/board-watch.ts';
import type { ChangeClock } from '../boards/change-clock.ts';
import { bounds } from '../bounds.ts';

export interface SyncOptions {
  clock: ChangeClock;
  boards: BoardWatch;
  revocations: Revocations;
  /** The site's id, once it is known. */
  origin: () => string | undefined;
}

/**
 * Tells followers what changed: heads, epochs, rules, ended sessions. A version is `<incarnation>.<moment>` of this
 * process; any other gets everything. Waiting costs a timer and no query.
 */
export class Sync {
  readonly #incarnation = randomBytes(6).toString('hex');
  #releasedAt = 0;

  constructor(private readonly options: SyncOptions) {}

  /** A supervised loop: releases the changes of heads in steps, so that a busy board doesn't answer each commit. */
  async run(loop: Loop): Promise<void> {
    const { clock } = this.options;
    while (!loop.signal.aborted) {
      if (clock.now > this.#releasedAt) {
        this.#releasedAt = clock.now;
        clock.release();
      }
      // oxlint-disable-next-line no-await-in-loop -- a step
      await loop.idle(bounds.syncPauseMs);
    }
  }

  /** @param since the version of an earlier answer, or undefined for everything */
  async answer(since: string | undefined, waitMs: number): Promise<SyncResponse> {
    const { clock, boards } = this.options;
    assertFresh(boards);
    const moment = this.#momentOf(since);
    if (moment !== undefined && moment >= clock.now && waitMs > 0) {
      if (clock.waiting >= bounds.syncWaitersMax) throw new AppError('overloaded', { detail: 'too many wait' });
      await this.#changeAfter(moment, Math.min(waitMs, bounds.syncWaitMaxMs));
      assertFresh(boards);
    }
    return this.#changesSince(moment);
  }

  /** What wakes a waiter may be a change that its version has seen already. */
  async #changeAfter(moment: number, waitMs: number): Promise<void> {
    const { clock } = this.options;
    const deadline = performance.now() + waitMs;
    while (clock.now <= moment) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return;
      // oxlint-disable-next-line no-await-in-loop -- until there is something new
      await clock.wait(leftMs);
    }
  }

  #changesSince(moment: number | undefined): SyncResponse {
    const { clock, boards, revocations } = this.options;
    const origin = this.options.origin();
    const from = moment ?? -1;
    return {
      version: `${this.#incarnation}.${clock.now}`,
      full: moment === undefined,
      boards: boards
        .all()
        .filter(({ changedAt }) => changedAt > from)
        .map(syncBoard),
      removedBoards: moment === undefined ? [] : boards.removedSince(from),
      ...(origin === undefined ? {} : { origin }),
      revocations: revocations.since(from),
    };
  }

  /** Undefined when the version is none of ours. */
  #momentOf(since: string | undefined): number | undefined {
    const [incarnation, moment] = since?.split('.') ?? [];
    if (incarnation !== this.#incarnation || moment === undefined || !/^\d{1,15}$/.test(moment)) return undefined;
    return Number(moment) <= this.options.clock.now ? Number(moment) : undefined;
  }
}

function syncBoard(board: WatchedBoard): SyncBoard {
  const { slug, id, epoch, epochOrdinal, head, relayed, timeZone, rules, pruned } = board;
  return { slug, id, epoch, epochOrdinal, head, relayed, timeZone, rules, oldest: pruned + 1 };
}
