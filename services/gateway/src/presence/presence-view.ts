import type { PresentUser } from '@boardwire/contracts';

export type PresenceChange =
  | { event: 'join' | 'leave'; user: PresentUser; count: number }
  /** Too much has changed to tell it one by one. */
  | { event: 'list'; users: PresentUser[]; count: number };

export type PresenceWatcher = (change: PresenceChange) => void;

interface Watching {
  /** Nobody is told of oneself. */
  viewerId: string | undefined;
  /** What changed up to here was in the list that this one began with. */
  since: number;
}

interface Untold {
  at: number;
  change: Exclude<PresenceChange, { event: 'list' }>;
}

/** More than this at once is told as a new list: a crowd that comes back must not be told to itself name by name. */
const changesMax = 20;

/**
 * What those who look at a board through the same filters are told. Who sits where is the board's to know; a view holds
 * a count and what its watchers have not been told yet, so ten thousand different views cost no more than that each.
 */
export class PresenceView {
  readonly filters: readonly string[];
  count: number;
  readonly #watchers = new Map<PresenceWatcher, Watching>();
  readonly #onUntold: (view: PresenceView) => void;
  #untold: Untold[] = [];
  #isCrowd = false;
  #changes = 0;

  constructor(filters: readonly string[], count: number, onUntold: (view: PresenceView) => void) {
    this.filters = filters;
    this.count = count;
    this.#onUntold = onUntold;
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  watch(watcher: PresenceWatcher, viewerId: string | undefined): void {
    this.#watchers.set(watcher, { viewerId, since: this.#changes });
  }

  unwatch(watcher: PresenceWatcher): boolean {
    return this.#watchers.delete(watcher);
  }

  join(user: PresentUser): void {
    this.count += 1;
    this.#note('join', user);
  }

  leave(user: PresentUser): void {
    this.count -= 1;
    this.#note('leave', user);
  }

  /** What these filters show has changed as a whole. */
  restart(count: number): void {
    this.count = count;
    this.#changes += 1;
    this.#isCrowd = true;
    this.#onUntold(this);
  }

  /** Tells what has changed since the last time. */
  tell(users: () => PresentUser[]): void {
    const [untold, isCrowd] = [this.#untold, this.#isCrowd];
    this.#untold = [];
    this.#isCrowd = false;
    if (isCrowd) this.#tellList({ event: 'list', users: users(), count: this.count });
    else for (const [watcher, watching] of this.#watchers) tellOne(watcher, watching, untold);
  }

  #tellList(list: PresenceChange): void {
    for (const [watcher, { since }] of this.#watchers) if (since < this.#changes) watcher(list);
  }

  #note(event: 'join' | 'leave', user: PresentUser): void {
    this.#changes += 1;
    if (this.#isCrowd) return;
    if (this.#untold.length >= changesMax) {
      this.#isCrowd = true;
      this.#untold = [];
      return;
    }
    this.#untold.push({ at: this.#changes, change: { event, user, count: this.count } });
    if (this.#untold.length === 1) this.#onUntold(this);
  }
}

function tellOne(watcher: PresenceWatcher, { viewerId, since }: Watching, untold: readonly Untold[]): void {
  for (const { at, change } of untold) if (at > since && change.user.id !== viewerId) watcher(change);
}
