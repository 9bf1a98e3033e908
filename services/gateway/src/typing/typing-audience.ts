import { FilterSet } from '../delivery/filter-set.ts';
import { reachedAs } from '../delivery/reach.ts';
import type { TypingPlace } from './keystrokes.ts';

/** A socket that is told who types. */
export interface TypingListener {
  readonly userId: string;
  typing(bytes: Buffer): void;
}

interface Row {
  /** Remembers which subjects it matches. */
  filters: FilterSet;
  listeners: Map<TypingListener, number>;
}

/** Which sockets reach what, found by the sets of what is reached, of which there are far fewer than sockets. */
export class TypingAudience {
  readonly #boards = new Map<string, Map<string, Row>>();

  /**
   * @param reach as `reachOf` says it
   * @returns what ends it, once. A socket may listen through several sets.
   */
  add(board: string, reach: readonly string[], listener: TypingListener): () => void {
    const key = reach.join(' ');
    const row = this.#row(board, key, reach);
    row.listeners.set(listener, (row.listeners.get(listener) ?? 0) + 1);
    let isIn = true;
    return () => {
      if (isIn) this.#remove(board, key, listener);
      isIn = false;
    };
  }

  /** Everybody who reaches the subject, once, but the typist. */
  *of({ board, subject, user }: TypingPlace, isOpen: boolean): Iterable<TypingListener> {
    const told = new Set<TypingListener>();
    const reached = reachedAs(subject, isOpen);
    for (const { filters, listeners } of this.#boards.get(board)?.values() ?? []) {
      if (!filters.matchesSubject(reached, true)) continue;
      for (const listener of listeners.keys()) {
        if (listener.userId === user.id || told.has(listener)) continue;
        told.add(listener);
        yield listener;
      }
    }
  }

  #row(board: string, key: string, reach: readonly string[]): Row {
    let rows = this.#boards.get(board);
    if (rows === undefined) this.#boards.set(board, (rows = new Map()));
    let row = rows.get(key);
    if (row === undefined) rows.set(key, (row = { filters: new FilterSet(reach), listeners: new Map() }));
    return row;
  }

  #remove(board: string, key: string, listener: TypingListener): void {
    const rows = this.#boards.get(board);
    const row = rows?.get(key);
    if (rows === undefined || row === undefined) return;
    const left = (row.listeners.get(listener) ?? 0) - 1;
    if (left > 0) row.listeners.set(listener, left);
    else row.listeners.delete(listener);
    if (row.listeners.size === 0) rows.delete(key);
    if (rows.size === 0) this.#boards.delete(board);
  }
}
