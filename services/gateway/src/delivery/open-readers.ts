import type { Access } from '../rights/access.ts';
import type { FilterSet } from './filter-set.ts';

export interface ReadRequest {
  access: Access;
  board: string;
  /** Filters as the client asked for them. */
  subjects: readonly string[];
  types?: readonly string[] | undefined;
}

/** Somebody who reads a board for as long as they are connected. */
export interface OpenReader {
  /** The access may be replaced, by another of the same user. */
  readonly asked: ReadRequest;
  /** What may be seen now; perhaps what it was. */
  onResolved(wanted: FilterSet): void;
  /** Nothing of it may be seen any more, or the board is gone. */
  onLost(error: unknown): void;
}

/** @throws AppError when nothing may be seen any more. */
export type Resolve = (asked: ReadRequest) => FilterSet;

/** Whoever reads, found by board and by user, so that changed rights reach them in the tick in which they are learnt. */
export class OpenReaders {
  readonly #resolve: Resolve;
  readonly #byBoard = new Map<string, Set<OpenReader>>();
  readonly #byUser = new Map<string, Set<OpenReader>>();

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  /** @returns what takes the reader out, idempotent. */
  add(reader: OpenReader): () => void {
    const { board } = reader.asked;
    const { userId } = reader.asked.access;
    put(this.#byBoard, board, reader);
    put(this.#byUser, userId, reader);
    return () => {
      take(this.#byBoard, board, reader);
      take(this.#byUser, userId, reader);
    };
  }

  /** The rules of a board have changed. */
  refreshBoard(board: string): void {
    for (const reader of this.#byBoard.get(board) ?? []) this.refresh(reader);
  }

  /** What someone may do has changed, on one board or on all. */
  refreshUser(userId: string, board?: string): void {
    for (const reader of this.#byUser.get(userId) ?? []) {
      if (board === undefined || reader.asked.board === board) this.refresh(reader);
    }
  }

  refresh(reader: OpenReader): void {
    let wanted: FilterSet;
    try {
      wanted = this.#resolve(reader.asked);
    } catch (error) {
      reader.onLost(error);
      return;
    }
    reader.onResolved(wanted);
  }

  /** The board is gone. */
  endBoard(board: string, error: unknown): void {
    for (const reader of this.#byBoard.get(board) ?? []) reader.onLost(error);
  }
}

function put<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([value]));
  else set.add(value);
}

function take<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key);
  if (set?.delete(value) === true && set.size === 0) map.delete(key);
}
