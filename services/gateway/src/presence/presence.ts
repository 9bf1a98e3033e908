import type { PresentUser, SubjectRule } from '@boardwire/contracts';
import { limits } from '@boardwire/contracts';
import { BoardPresence } from './board-presence.ts';
import { OwnSeats } from './own-seats.ts';
import type { PresenceView, PresenceWatcher } from './presence-view.ts';
import { seatFiltersMax, type Attendance, type Seat } from './seat.ts';

export interface PresenceOptions {
  graceMs: number;
  rules?: (board: string) => readonly SubjectRule[];
}

/** Changes that come within this are told together. */
const tellEveryMs = 50;
/** With many watchers they are told less often: at most so many frames of presence leave this pod in a second. */
const tellsPerSecondMax = 2_000;

/** Who reads which board, on all pods of the site. */
export class Presence {
  /** What this pod adds; gossip tells it to the others. */
  readonly own = new OwnSeats();
  readonly #options: PresenceOptions;
  readonly #boards = new Map<string, BoardPresence>();
  readonly #boardsOf = new Map<string, number>();
  readonly #untold = new Map<PresenceView, BoardPresence>();
  #watchers = 0;
  #teller: NodeJS.Timeout | undefined;
  #toldAt = -Infinity;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** Open subscriptions of a board. */
  subscribers(board: string): number {
    return this.#boards.get(board)?.open ?? 0;
  }

  /** Users with a subscription anywhere. */
  get users(): number {
    return this.#boardsOf.size;
  }

  /** A subscription opens on this pod. @returns what closes it, once. */
  enter(board: string, { user, filters }: Attendance): () => void {
    const seat = { board, user, filters: filters.length > seatFiltersMax ? filters.slice(0, seatFiltersMax) : filters };
    let isOpen = true;
    this.own.change(seat, 1);
    this.change(seat, 1);
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.own.change(seat, -1);
      this.change(seat, -1);
    };
  }

  /** So many subscriptions more or fewer keep a seat, on whichever pod. A seat that empties is held for a while. */
  change(seat: Seat, by: number, graceMs = this.#options.graceMs): void {
    this.#place(seat.board).change(seat, by, graceMs);
    this.#forgetIfEmpty(seat.board);
  }

  get graceMs(): number {
    return this.#options.graceMs;
  }

  /** Who is here now, as a reader with these filters may see. */
  list(board: string, filters: readonly string[], max: number): { count: number; users: PresentUser[] } {
    return this.#boards.get(board)?.list(filters, max) ?? { count: 0, users: [] };
  }

  /** Tells joins and leaves of others than the viewer from now on. @returns what ends that. */
  watch(board: string, filters: readonly string[], watcher: PresenceWatcher, viewerId?: string): () => void {
    const end = this.#place(board).watch(filters, watcher, viewerId);
    let isWatching = true;
    this.#watchers += 1;
    return () => {
      if (!isWatching) return;
      isWatching = false;
      this.#watchers -= 1;
      end();
      this.#forgetIfEmpty(board);
    };
  }

  /** What may be seen of a board has changed. */
  rulesChanged(board: string): void {
    this.#boards.get(board)?.rulesChanged();
  }

  #place(board: string): BoardPresence {
    let place = this.#boards.get(board);
    if (place === undefined) this.#boards.set(board, (place = this.#created(board)));
    return place;
  }

  #created(board: string): BoardPresence {
    const { rules } = this.#options;
    const place: BoardPresence = new BoardPresence({
      rules: () => rules?.(board) ?? [],
      onUser: (id, by) => this.#countUser(id, by),
      onVacated: () => this.#forgetIfEmpty(board),
      onUntold: (view) => this.#tellSoon(view, place),
    });
    return place;
  }

  #countUser(id: string, by: 1 | -1): void {
    const boards = (this.#boardsOf.get(id) ?? 0) + by;
    if (boards > 0) this.#boardsOf.set(id, boards);
    else this.#boardsOf.delete(id);
  }

  #tellSoon(view: PresenceView, place: BoardPresence): void {
    if (!view.isWatched) return;
    this.#untold.set(view, place);
    if (this.#teller !== undefined) return;
    const everyMs = Math.max(tellEveryMs, (this.#watchers * 1_000) / tellsPerSecondMax);
    const waitMs = Math.max(tellEveryMs, this.#toldAt + everyMs - performance.now());
    this.#teller = setTimeout(() => this.#tell(), waitMs).unref();
  }

  #tell(): void {
    this.#teller = undefined;
    this.#toldAt = performance.now();
    const untold = [...this.#untold];
    this.#untold.clear();
    for (const [view, place] of untold) {
      view.tell(() => place.list(view.filters, limits.presenceListMax).users);
    }
  }

  #forgetIfEmpty(board: string): void {
    if (this.#boards.get(board)?.isEmpty === true) this.#boards.delete(board);
  }
}
