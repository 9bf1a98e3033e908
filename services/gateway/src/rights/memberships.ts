import type { Membership, SyncResponse } from '@boardwire/contracts';

type OfBoard = Map<string, readonly string[]>;
type OfBoards = Map<string, OfBoard>;

const none: readonly string[] = [];

/**
 * Who is a member of which `members` subjects, as chat's sync tells. A complete answer comes in pages: what it leaves out
 * has ended, but only its last page can say so.
 */
export class Memberships {
  #known: OfBoards = new Map();
  /** A complete answer of which not every page is here. */
  #arriving: OfBoards | undefined;

  #isComplete = false;

  /** Whether a complete answer has arrived: before, nobody can be told that they are no member. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Subjects that someone reaches on a board by membership: filters, perhaps with wildcards. */
  of(board: string, userId: string): readonly string[] {
    return this.#known.get(board)?.get(userId) ?? none;
  }

  /** @returns whose memberships are not what they were, as board and user. */
  learn(changes: SyncResponse): Membership[] {
    if (changes.full) this.#arriving = new Map();
    const target = this.#arriving ?? this.#known;
    const told = changes.memberships ?? [];
    const changed = this.#arriving === undefined ? told.filter((one) => this.#isNews(one)) : [];
    for (const board of changes.removedBoards) target.delete(board);
    for (const membership of told) put(target, membership);
    if (this.#arriving === undefined || changes.more === true) return changed;
    const before = this.#known;
    this.#known = this.#arriving;
    this.#arriving = undefined;
    this.#isComplete = true;
    return this.#changedSince(before);
  }

  #isNews({ board, userId, subjects }: Membership): boolean {
    return !isEqual(this.of(board, userId), subjects);
  }

  #changedSince(before: OfBoards): Membership[] {
    const changed = [...each(this.#known)].filter(
      ({ board, userId, subjects }) => !isEqual(before.get(board)?.get(userId) ?? none, subjects),
    );
    for (const { board, userId } of each(before)) {
      if (this.#known.get(board)?.has(userId) !== true) changed.push({ board, userId, subjects: [] });
    }
    return changed;
  }
}

function put(boards: OfBoards, { board, userId, subjects }: Membership): void {
  let ofBoard = boards.get(board);
  if (ofBoard === undefined) boards.set(board, (ofBoard = new Map()));
  if (subjects.length > 0) ofBoard.set(userId, subjects);
  else ofBoard.delete(userId);
  if (ofBoard.size === 0) boards.delete(board);
}

function* each(boards: OfBoards): Iterable<Membership> {
  for (const [board, ofBoard] of boards) {
    for (const [userId, subjects] of ofBoard) yield { board, userId, subjects: [...subjects] };
  }
}

function isEqual(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((subject, at) => subject === right[at]);
}
