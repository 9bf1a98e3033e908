import type { PresentUser, SubjectRule } from '@boardwire/contracts';
import { SubjectTrie } from '../delivery/subject-trie.ts';
import { PresenceView, type PresenceWatcher } from './presence-view.ts';
import { filtersKey, type Attendance } from './seat.ts';
import { shareSubject } from './shared-subjects.ts';

/** Everybody who looks through one set of filters. */
interface Row {
  key: string;
  filters: readonly string[];
  chairs: Map<string, Chair>;
  /** The views that see it, while no view has come or gone. */
  views: { round: number; seen: readonly PresenceView[] } | undefined;
}

interface Chair {
  user: PresentUser;
  row: Row;
  /** Subscriptions on all pods. */
  open: number;
  leaving: NodeJS.Timeout | undefined;
}

export interface BoardPresenceOptions {
  rules: () => readonly SubjectRule[];
  /** A user got a first chair on this board (1), or left the last one (-1). */
  onUser: (id: string, by: 1 | -1) => void;
  onVacated: () => void;
  onUntold: (view: PresenceView) => void;
}

/**
 * Who is on one board, on all pods. Users are kept in rows by their filters; a view reaches the rows that share a
 * subject with it through a trie, so that neither an arrival nor a look walks over what it has nothing to do with.
 */
export class BoardPresence {
  readonly #options: BoardPresenceOptions;
  readonly #rows = new Map<string, Row>();
  readonly #rowsBySubject = new SubjectTrie<Row>();
  readonly #views = new Map<string, PresenceView>();
  readonly #viewsBySubject = new SubjectTrie<PresenceView>();
  readonly #chairsOf = new Map<string, Chair[]>();
  /** Rises when views come or go. */
  #round = 0;
  /** Open subscriptions on all pods. */
  open = 0;

  constructor(options: BoardPresenceOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0 && this.#views.size === 0;
  }

  /** So many subscriptions more, or fewer; a chair that empties is held for `graceMs`. */
  change({ user, filters }: Attendance, by: number, graceMs: number): void {
    const chair = this.#chair(user, filters);
    chair.open += by;
    this.open += by;
    clearTimeout(chair.leaving);
    chair.leaving = undefined;
    if (chair.open > 0) return;
    if (graceMs <= 0) this.#vacate(chair);
    else chair.leaving = setTimeout(() => this.#vacate(chair), graceMs).unref();
  }

  list(filters: readonly string[], max: number): { count: number; users: PresentUser[] } {
    const view = this.#views.get(filtersKey(filters));
    const users = this.#visible(filters, view === undefined ? Infinity : max);
    const listed = users.size > max ? [...users.values()].slice(0, max) : [...users.values()];
    return { count: view?.count ?? users.size, users: listed };
  }

  watch(filters: readonly string[], watcher: PresenceWatcher, viewerId: string | undefined): () => void {
    const view = this.#view(filters);
    view.watch(watcher, viewerId);
    return () => {
      if (view.unwatch(watcher) && !view.isWatched) this.#closeView(view);
    };
  }

  /** What may be seen has changed. */
  rulesChanged(): void {
    this.#round += 1;
    for (const view of this.#views.values()) view.restart(this.#visible(view.filters, Infinity).size);
  }

  #chair(user: PresentUser, filters: readonly string[]): Chair {
    const row = this.#row(filters);
    const known = row.chairs.get(user.id);
    if (known !== undefined) return known;
    const chair: Chair = { user, row, open: 0, leaving: undefined };
    for (const view of this.#viewsOnlyThrough(chair)) view.join(user);
    row.chairs.set(user.id, chair);
    const others = this.#chairsOf.get(user.id);
    if (others === undefined) {
      this.#chairsOf.set(user.id, [chair]);
      this.#options.onUser(user.id, 1);
    } else others.push(chair);
    return chair;
  }

  #vacate(chair: Chair): void {
    const { row, user } = chair;
    if (chair.open > 0 || row.chairs.get(user.id) !== chair) return;
    row.chairs.delete(user.id);
    const others = this.#chairsOf.get(user.id)!.filter((other) => other !== chair);
    if (others.length > 0) this.#chairsOf.set(user.id, others);
    else {
      this.#chairsOf.delete(user.id);
      this.#options.onUser(user.id, -1);
    }
    for (const view of this.#viewsOnlyThrough(chair)) view.leave(user);
    if (row.chairs.size > 0) return;
    this.#closeRow(row);
    this.#options.onVacated();
  }

  /** The views that see a user because of this chair and no other one. */
  #viewsOnlyThrough(chair: Chair): Iterable<PresenceView> {
    const seen = this.#viewsOf(chair.row);
    const others = this.#chairsOf.get(chair.user.id)?.filter((other) => other !== chair) ?? [];
    if (others.length === 0) return seen;
    const rules = this.#options.rules();
    return seen.filter((view) => !others.some(({ row }) => shareSubject(row.filters, view.filters, rules)));
  }

  #viewsOf(row: Row): readonly PresenceView[] {
    if (row.views?.round === this.#round) return row.views.seen;
    const seen = this.#sharing(this.#viewsBySubject, row.filters);
    // A row of one's own is looked at twice, coming and going; remembering its views would cost more.
    row.views = row.chairs.size > 0 ? { round: this.#round, seen } : undefined;
    return seen;
  }

  #visible(filters: readonly string[], max: number): Map<string, PresentUser> {
    const users = new Map<string, PresentUser>();
    for (const { chairs } of this.#sharing(this.#rowsBySubject, filters)) {
      for (const [id, { user }] of chairs) {
        users.set(id, user);
        if (users.size >= max) return users;
      }
    }
    return users;
  }

  #sharing<T extends { readonly filters: readonly string[] }>(trie: SubjectTrie<T>, filters: readonly string[]): T[] {
    const rules = this.#options.rules();
    const found = trie.overlapping(filters);
    const needsRights = rules.some(({ access }) => access === 'members');
    return needsRights ? found.filter((other) => shareSubject(other.filters, filters, rules)) : found;
  }

  #row(filters: readonly string[]): Row {
    const key = filtersKey(filters);
    let row = this.#rows.get(key);
    if (row === undefined) {
      this.#rows.set(key, (row = { key, filters, chairs: new Map(), views: undefined }));
      for (const filter of filters) this.#rowsBySubject.add(filter, row);
    }
    return row;
  }

  #closeRow(row: Row): void {
    this.#rows.delete(row.key);
    for (const filter of row.filters) this.#rowsBySubject.remove(filter, row);
  }

  #view(filters: readonly string[]): PresenceView {
    const key = filtersKey(filters);
    let view = this.#views.get(key);
    if (view === undefined) {
      view = new PresenceView(filters, this.#visible(filters, Infinity).size, this.#options.onUntold);
      this.#views.set(key, view);
      this.#round += 1;
      for (const filter of filters) this.#viewsBySubject.add(filter, view);
    }
    return view;
  }

  #closeView(view: PresenceView): void {
    if (this.#views.get(filtersKey(view.filters)) !== view) return;
    this.#views.delete(filtersKey(view.filters));
    this.#round += 1;
    for (const filter of view.filters) this.#viewsBySubject.remove(filter, view);
  }
}
