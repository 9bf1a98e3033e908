import { intersectFilters, type PresentUser } from '@boardwire/contracts';

export type PresenceChange =
  | { event: 'join'; user: PresentUser; count: number }
  | { event: 'leave'; user: PresentUser; count: number };

export type PresenceWatcher = (change: PresenceChange) => void;

/** Someone's open subscription. */
export interface Attendance {
  readonly user: PresentUser;
  readonly filters: readonly string[];
}

interface Seat {
  user: PresentUser;
  open: number;
  leaving: NodeJS.Timeout | undefined;
}

/**
 * Who is here, for those who look through the same filters: everybody with a subscription that shares a subject with
 * them. One entry for each user, not for each tab. A leave is held for a while, so that reconnects don't flap.
 */
export class PresenceView {
  readonly #filters: readonly string[];
  readonly #graceMs: number;
  readonly #seats = new Map<string, Seat>();
  readonly watchers = new Set<PresenceWatcher>();

  constructor(filters: readonly string[], graceMs: number) {
    this.#filters = filters;
    this.#graceMs = graceMs;
  }

  get count(): number {
    return this.#seats.size;
  }

  users(max: number): PresentUser[] {
    const users: PresentUser[] = [];
    for (const { user } of this.#seats.values()) if (users.push(user) >= max) break;
    return users;
  }

  sees({ filters }: Attendance): boolean {
    return filters.some((left) => this.#filters.some((right) => intersectFilters(left, right) !== undefined));
  }

  enter(attendance: Attendance): void {
    if (!this.sees(attendance)) return;
    const { user } = attendance;
    const seat = this.#seats.get(user.id);
    if (seat !== undefined) {
      seat.open += 1;
      clearTimeout(seat.leaving);
      seat.leaving = undefined;
      return;
    }
    this.#seats.set(user.id, { user, open: 1, leaving: undefined });
    this.#tell({ event: 'join', user, count: this.count });
  }

  leave(attendance: Attendance): void {
    const seat = this.#seats.get(attendance.user.id);
    if (seat === undefined || !this.sees(attendance)) return;
    seat.open -= 1;
    if (seat.open > 0) return;
    if (this.#graceMs === 0) this.#vacate(seat);
    else seat.leaving = setTimeout(() => this.#vacate(seat), this.#graceMs).unref();
  }

  close(): void {
    for (const { leaving } of this.#seats.values()) clearTimeout(leaving);
    this.#seats.clear();
  }

  #vacate(seat: Seat): void {
    if (seat.open > 0 || !this.#seats.delete(seat.user.id)) return;
    this.#tell({ event: 'leave', user: seat.user, count: this.count });
  }

  #tell(change: PresenceChange): void {
    for (const watcher of this.watchers) watcher(change);
  }
}
