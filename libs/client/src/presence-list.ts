import type { PresentUser } from '@boardwire/contracts';

/** Who is here: one entry per user, and the whole number, of which the list may be only a part. */
export interface Presence {
  users: readonly PresentUser[];
  count: number;
}

/** Keeps the list that a server sent current by the joins and leaves that follow. */
export class PresenceList {
  readonly #users = new Map<string, PresentUser>();
  #count = 0;

  get view(): Presence {
    return { users: [...this.#users.values()], count: this.#count };
  }

  replace(users: readonly PresentUser[], count: number): void {
    this.#users.clear();
    for (const user of users) this.#users.set(user.id, user);
    this.#count = Math.max(count, this.#users.size);
  }

  change(event: 'join' | 'leave', user: PresentUser, count: number): void {
    if (event === 'join') this.#users.set(user.id, user);
    else this.#users.delete(user.id);
    this.#count = Math.max(count, this.#users.size);
  }
}
