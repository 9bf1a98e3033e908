import type { FeedVector } from '@boardwire/contracts';

interface Contact {
  streams: number;
  vector: FeedVector | undefined;
}

/**
 * What this process knows of peers that have dialled in: which of them listen to a room, and how far they are. Nothing of
 * it is stored, and another replica of this service would know nothing of it: there is one.
 */
export class Contacts {
  readonly #contacts = new Map<string, Contact>();
  readonly #listeners = new Set<() => void>();
  readonly #dismissals = new Set<(site: string, room: string) => void>();

  streamOpened(site: string, room: string): void {
    this.#contact(site, room).streams += 1;
    this.#tell();
  }

  streamClosed(site: string, room: string): void {
    const contact = this.#contact(site, room);
    contact.streams = Math.max(0, contact.streams - 1);
    this.#tell();
  }

  hasStream(site: string, room: string): boolean {
    return (this.#contacts.get(keyOf(site, room))?.streams ?? 0) > 0;
  }

  /** The peer has said how far it has each feed. */
  learnt(site: string, room: string, vector: FeedVector): void {
    this.#contact(site, room).vector = vector;
    this.#tell();
  }

  vectorOf(site: string, room: string): FeedVector | undefined {
    return this.#contacts.get(keyOf(site, room))?.vector;
  }

  /** What this peer has open gets nowhere: whoever has it in hand ends it. */
  dismiss(site: string, room: string): void {
    for (const listener of this.#dismissals) listener(site, room);
  }

  onDismissed(listener: (site: string, room: string) => void): () => void {
    this.#dismissals.add(listener);
    return () => this.#dismissals.delete(listener);
  }

  onChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Bounded by the peers and the rooms they share: nobody else gets this far. */
  #contact(site: string, room: string): Contact {
    const key = keyOf(site, room);
    const contact = this.#contacts.get(key) ?? { streams: 0, vector: undefined };
    this.#contacts.set(key, contact);
    return contact;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const keyOf = (site: string, room: string) => `${site} ${room}`;
