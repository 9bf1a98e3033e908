import { randomBytes } from 'node:crypto';
import type { SyncBoard, SyncResponse } from '@boardwire/contracts';
import { AppError, type Loop } from '@boardwire/service-kit';
import type { ChangedAccounts } from '../accounts/changed-accounts.ts';
import type { Revocations } from '../accounts/revocations.ts';
import type { BoardWatch, WatchedBoard } from '../boards/board-watch.ts';
import type { ChangeClock } from '../boards/change-clock.ts';
import { bounds } from '../bounds.ts';
import { assertFresh } from '../control/control-feed.ts';
import type { MembershipBook } from '../members/membership-book.ts';

export interface SyncOptions {
  clock: ChangeClock;
  boards: BoardWatch;
  revocations: Revocations;
  changedAccounts: ChangedAccounts;
  memberships: MembershipBook;
  /** The site's id, once it is known. */
  origin: () => string | undefined;
}

/**
 * Tells followers what changed: heads, epochs, rules, ended sessions, memberships, roles. A version is
 * `<incarnation>.<moment>` of this process; any other gets everything. Waiting costs a timer and no query.
 * The memberships of a complete answer come in pages: `<incarnation>.<moment>.<place>` asks for the next one, together
 * with all that has changed since the first.
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
    const from = this.#placeOf(since);
    if (from !== undefined && from.page === undefined && from.moment >= clock.now && waitMs > 0) {
      if (clock.waiting >= bounds.syncWaitersMax) throw new AppError('overloaded', { detail: 'too many wait' });
      await this.#changeAfter(from.moment, Math.min(waitMs, bounds.syncWaitMaxMs));
      assertFresh(boards);
    }
    return this.#changesSince(from);
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

  #changesSince(since: Place | undefined): SyncResponse {
    const { clock, boards, revocations, changedAccounts } = this.options;
    const origin = this.options.origin();
    const from = since?.moment ?? -1;
    const { version, memberships, more } = this.#memberships(since, clock.now);
    return {
      version: `${this.#incarnation}.${version}`,
      full: since === undefined,
      boards: boards
        .all()
        .filter(({ changedAt }) => changedAt > from)
        .map(syncBoard),
      removedBoards: since === undefined ? [] : boards.removedSince(from),
      ...(origin === undefined ? {} : { origin }),
      revocations: revocations.since(from),
      changedRights: changedAccounts.since(from),
      memberships,
      ...(more ? { more } : {}),
    };
  }

  /** A piece of them, and the version from which the next answer goes on. */
  #memberships(since: Place | undefined, now: number) {
    const { memberships } = this.options;
    if (since !== undefined && since.page === undefined) {
      const { next = now, ...changed } = memberships.since(since.moment);
      return { ...changed, version: `${next}`, more: false };
    }
    const { moment, page } = since ?? { moment: now, page: 0 };
    const { next, ...some } = memberships.from(page ?? 0);
    return { ...some, version: next === undefined ? `${moment}` : `${moment}.${next}`, more: next !== undefined };
  }

  /** Undefined when the version is none of ours, or of so long ago that only a complete answer will do. */
  #placeOf(since: string | undefined): Place | undefined {
    const [, incarnation, moment, page] = /^(\w+)\.(\d{1,15})(?:\.(\d{1,15}))?$/.exec(since ?? '') ?? [];
    if (incarnation !== this.#incarnation) return undefined;
    const { clock, memberships } = this.options;
    if (Number(moment) > clock.now || !memberships.remembers(Number(moment))) return undefined;
    return { moment: Number(moment), page: page === undefined ? undefined : Number(page) };
  }
}

interface Place {
  moment: number;
  /** Where the rest of the memberships of a complete answer begins. */
  page: number | undefined;
}

function syncBoard(board: WatchedBoard): SyncBoard {
  const { slug, id, epoch, epochOrdinal, head, relayed, timeZone, rules, pruned, removals } = board;
  return { slug, id, epoch, epochOrdinal, head, relayed, timeZone, rules, oldest: pruned + 1, removals };
}
