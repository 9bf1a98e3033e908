import type { Ignores as Told, SyncResponse } from '@boardwire/contracts';
import { IgnoredAuthors } from './ignored-authors.ts';

type OfUsers = Map<string, IgnoredAuthors>;

/** Whom everybody ignores, as chat's sync tells. A complete answer comes in pages: who isn't named ignores nobody. */
export class Ignores {
  #known: OfUsers = new Map();
  /** A complete answer of which not every page is here. */
  #arriving: OfUsers | undefined;

  /** Undefined for who ignores nobody. */
  of(userId: string): IgnoredAuthors | undefined {
    return this.#known.get(userId);
  }

  /** @returns whose ignores are not what they were. */
  learn({ full, more, ignores = [] }: SyncResponse): string[] {
    if (full) this.#arriving = new Map();
    const arriving = this.#arriving;
    if (arriving === undefined) return ignores.filter((told) => put(this.#known, told)).map(({ userId }) => userId);
    for (const told of ignores) put(arriving, told);
    if (more === true) return [];
    const before = this.#known;
    this.#known = arriving;
    this.#arriving = undefined;
    const userIds = new Set([...before.keys(), ...arriving.keys()]);
    return [...userIds].filter((userId) => before.get(userId)?.key !== arriving.get(userId)?.key);
  }
}

/** @returns whether that is news. */
function put(ofUsers: OfUsers, { userId, authors }: Told): boolean {
  const before = ofUsers.get(userId);
  const now = authors.length === 0 ? undefined : new IgnoredAuthors(authors);
  if (now === undefined) ofUsers.delete(userId);
  else ofUsers.set(userId, now);
  return now?.key !== before?.key;
}
