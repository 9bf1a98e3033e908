import type { PresentUser } from '@boardwire/contracts';
import { PresenceView, type Attendance, type PresenceWatcher } from './presence-view.ts';

interface PresenceBoard {
  attendances: Set<Attendance>;
  views: Map<string, PresenceView>;
}

/** Who reads which board on this pod. */
export class Presence {
  readonly #graceMs: number;
  readonly #boards = new Map<string, PresenceBoard>();

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Open subscriptions of a board. */
  subscribers(board: string): number {
    return this.#boards.get(board)?.attendances.size ?? 0;
  }

  get subscriptions(): number {
    let sum = 0;
    for (const { attendances } of this.#boards.values()) sum += attendances.size;
    return sum;
  }

  get users(): number {
    const ids = new Set<string>();
    for (const { attendances } of this.#boards.values()) for (const { user } of attendances) ids.add(user.id);
    return ids.size;
  }

  /** A subscription opens. @returns what closes it, once. */
  enter(board: string, attendance: Attendance): () => void {
    const place = this.#place(board);
    place.attendances.add(attendance);
    for (const view of place.views.values()) view.enter(attendance);
    return () => {
      if (!place.attendances.delete(attendance)) return;
      for (const view of place.views.values()) view.leave(attendance);
      this.#forgetIfEmpty(board, place);
    };
  }

  /** Who is here now, as a reader with these filters may see. */
  list(board: string, filters: readonly string[], max: number): { count: number; users: PresentUser[] } {
    const known = this.#boards.get(board)?.views.get(keyOf(filters));
    const view = known ?? this.#viewOf(this.#boards.get(board), filters);
    return { count: view.count, users: view.users(max) };
  }

  /** Tells joins and leaves from now on. @returns what ends that. */
  watch(board: string, filters: readonly string[], watcher: PresenceWatcher): () => void {
    const place = this.#place(board);
    const key = keyOf(filters);
    let view = place.views.get(key);
    if (view === undefined) place.views.set(key, (view = this.#viewOf(place, filters)));
    const watched = view;
    watched.watchers.add(watcher);
    return () => {
      if (!watched.watchers.delete(watcher) || watched.watchers.size > 0) return;
      watched.close();
      if (place.views.get(key) === watched) place.views.delete(key);
      this.#forgetIfEmpty(board, place);
    };
  }

  #viewOf(place: PresenceBoard | undefined, filters: readonly string[]): PresenceView {
    const view = new PresenceView(filters, this.#graceMs);
    for (const attendance of place?.attendances ?? []) view.enter(attendance);
    return view;
  }

  #place(board: string): PresenceBoard {
    let place = this.#boards.get(board);
    if (place === undefined) this.#boards.set(board, (place = { attendances: new Set(), views: new Map() }));
    return place;
  }

  #forgetIfEmpty(board: string, place: PresenceBoard): void {
    if (place.attendances.size === 0 && place.views.size === 0) this.#boards.delete(board);
  }
}

function keyOf(filters: readonly string[]): string {
  return [...filters].toSorted().join(' ');
}
