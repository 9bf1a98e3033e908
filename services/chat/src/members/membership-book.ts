import type { Membership } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { BoardWatch } from '../boards/board-watch.ts';
import type { ChangeClock } from '../boards/change-clock.ts';
import { bounds } from '../bounds.ts';
import type { ControlBook, ControlRow } from '../control/control-feed.ts';
import type { MembershipRow, MembershipStore } from './membership-store.ts';

interface Change {
  row: MembershipRow;
  changedAt: number;
}

/** A piece of what there is to tell. `next`: where the rest begins, when there is a rest. */
export interface MembershipPage {
  memberships: Membership[];
  next?: number;
}

/**
 * All memberships, in memory for `/sync`. Rows stand in the order in which they were first seen, and an ended one keeps
 * its place: a complete answer in pages misses none that changes between two of them.
 */
export class MembershipBook implements ControlBook {
  readonly kind = 'membership_changed';
  readonly #places = new Map<string, number>();
  readonly #rows: MembershipRow[] = [];
  #changes: Change[] = [];
  /** Changes up to this moment are not told apart any more. */
  #floor = -1;

  constructor(
    private readonly database: Database,
    private readonly store: MembershipStore,
    private readonly clock: ChangeClock,
    private readonly boards: BoardWatch,
  ) {}

  /** Before the first answer. */
  async load(): Promise<void> {
    for (const row of await this.store.all(this.database)) this.#put(row);
  }

  async take(rows: readonly ControlRow[]): Promise<void> {
    const pairs = rows.flatMap(({ boardId, userId }) =>
      boardId === null || userId === null ? [] : [{ boardId, userId }],
    );
    const found = new Map((await this.store.some(this.database, pairs)).map((row) => [keyOf(row), row]));
    for (const pair of new Map(pairs.map((one) => [keyOf(one), one])).values()) {
      this.#change(found.get(keyOf(pair)) ?? { ...pair, subjects: [] });
    }
  }

  async reload(): Promise<void> {
    const found = new Map((await this.store.all(this.database)).map((row) => [keyOf(row), row]));
    for (const known of this.#rows) this.#change(found.get(keyOf(known)) ?? { ...known, subjects: [] });
    for (const row of found.values()) if (!this.#places.has(keyOf(row))) this.#change(row);
  }

  /** Whether what changed after a moment can still be told by itself. */
  remembers(moment: number): boolean {
    return moment >= this.#floor;
  }

  /** All of them, from a place on. */
  from(place: number): MembershipPage {
    const page = new Page();
    for (let at = place; at < this.#rows.length; at += 1) {
      const row = this.#rows[at]!;
      if (row.subjects.length === 0) continue;
      if (!page.add(this.#told(row))) return { memberships: page.memberships, next: at };
    }
    return { memberships: page.memberships };
  }

  /** What changed after a moment, oldest first; `next` is the moment up to which it is told when that is not all. */
  since(moment: number): MembershipPage {
    let first = this.#changes.length;
    while (first > 0 && this.#changes[first - 1]!.changedAt > moment) first -= 1;
    const page = new Page();
    for (let at = first; at < this.#changes.length; at += 1) {
      if (!page.add(this.#told(this.#changes[at]!.row))) {
        return { memberships: page.memberships, next: this.#changes[at - 1]!.changedAt };
      }
    }
    return { memberships: page.memberships };
  }

  #change(row: MembershipRow): void {
    this.#put(row);
    this.#changes.push({ row, changedAt: this.clock.tick() });
    if (this.#changes.length <= 2 * bounds.membershipChangesKept) return;
    const gone = this.#changes.splice(0, bounds.membershipChangesKept);
    this.#floor = gone.at(-1)!.changedAt;
  }

  #put(row: MembershipRow): void {
    const key = keyOf(row);
    const place = this.#places.get(key) ?? this.#rows.length;
    this.#places.set(key, place);
    this.#rows[place] = row;
  }

  /** Undefined when the board has gone. */
  #told({ boardId, userId, subjects }: MembershipRow): Membership | undefined {
    const board = this.boards.get(boardId)?.slug;
    return board === undefined ? undefined : { board, userId, subjects };
  }
}

/** Bounded by what it holds: a membership may be a word or 256 long subjects. */
class Page {
  readonly memberships: Membership[] = [];
  #subjects = 0;

  /** False when it is full; the first one always fits. */
  add(membership: Membership | undefined): boolean {
    if (membership === undefined) return true;
    this.#subjects += 1 + membership.subjects.length;
    if (this.memberships.length > 0 && this.#subjects > bounds.membershipPageSubjects) return false;
    this.memberships.push(membership);
    return true;
  }
}

const keyOf = ({ boardId, userId }: { boardId: number; userId: string }) => `${boardId} ${userId}`;
