import { randomBytes } from 'node:crypto';
import type { SyncBoard, SyncResponse } from '@boardwire/contracts';
import { AppError, type Loop } from '@boardwire/service-kit';
import type { ChangedAccounts } from '../accounts/changed-accounts.ts';
import type { Revocations } from '../accounts/revocations.ts';
import type { BoardWatch, WatchedBoard } from '../boards/board-watch.ts';
import type { ChangeClock } from '../boards/change-clock.ts';
import { bounds } from '../bounds.ts';
import { assertFresh } from '../control/control-feed.ts';
import type { IgnoreBook } from '../ignores/ignore-book.ts';
import type { MembershipBook } from '../members/membership-book.ts';

export interface SyncOptions {
  clock: ChangeClock;
  boards: BoardWatch;
  revocations: Revocations;
  changedAccounts: ChangedAccounts;
  memberships: MembershipBook;
  ignores: IgnoreBook;
  /** The site's id, once it is known. */
  origin: () => string | undefined;
}

/**
 * Tells followers what changed: heads, epochs, rules, ended sessions, memberships, ignores, roles. A version
 * is `<incarnation>.<moment>` of this process; any other gets everything. Waiting costs a timer and no query.
 * Memberships and ignores of a complete answer come in pages: `<incarnation>.<moment>.<place>.<place>` asks for the next
 * one, together with all that has changed since the first.
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
    if (from !== undefined && from.pages === undefined && from.moment >= clock.now && waitMs > 0) {
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
    const { version, memberships, ignores, more } = this.#pieces(since, clock.now);
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
      ignores,
      ...(more ? { more } : {}),
    };
  }

  /** A piece of what is told in pages, and the version from which the next answer goes on. */
  #pieces(since: Place | undefined, now: number) {
    const { memberships, ignores } = this.options;
    if (since !== undefined && since.pages === undefined) {
      const members = memberships.told.since(since.moment);
      const ignored = ignores.told.since(since.moment);
      // What one of them tells beyond it comes again, and says the same.
      const version = `${Math.min(members.next ?? now, ignored.next ?? now)}`;
      return { memberships: members.told, ignores: ignored.told, version, more: false };
    }
    const { moment, pages = [0, 0] as const } = since ?? { moment: now, pages: undefined };
    const members = memberships.told.from(pages[0]);
    const ignored = ignores.told.from(pages[1]);
    const more = members.next !== undefined || ignored.next !== undefined;
    const places = [members.next ?? memberships.told.end, ignored.next ?? ignores.told.end];
    const version = [moment, ...(more ? places : [])].join('.');
    return { memberships: members.told, ignores: ignored.told, version, more };
  }

  /** Undefined when the version is none of ours, or of so long ago that only a complete answer will do. */
  #placeOf(since: string | undefined): Place | undefined {
    const [, incarnation, ...numbers] = versionPattern.exec(since ?? '') ?? [];
    if (incarnation !== this.#incarnation) return undefined;
    const { clock, memberships, ignores } = this.options;
    const moment = Number(numbers[0]);
    const isTold = memberships.told.remembers(moment) && ignores.told.remembers(moment);
    if (moment > clock.now || !isTold) return undefined;
    return { moment, pages: numbers[1] === undefined ? undefined : [Number(numbers[1]), Number(numbers[2])] };
  }
}

const versionPattern = /^(\w+)\.(\d{1,15})(?:\.(\d{1,15})\.(\d{1,15}))?$/;

interface Place {
  moment: number;
  /** Where the rest of the memberships, and of the ignores, of a complete answer begins. */
  pages: readonly [number, number] | undefined;
}

function syncBoard(board: WatchedBoard): SyncBoard {
  const { slug, id, epoch, epochOrdinal, head, relayed, timeZone, rules, pruned, removals } = board;
  return { slug, id, epoch, epochOrdinal, head, relayed, timeZone, rules, oldest: pruned + 1, removals };
}
