import { isConnectionError } from '@boardwire/database';
import type { Logger } from '@boardwire/service-kit';
import type { PeerStore } from '../peers/peer-store.ts';
import type { PeerBook } from './peer-book.ts';

/** A peer that asks us all the time is noted once in so long. */
const everyMs = 2_000;

/** That a peer has shown itself, with its key: nobody waits any longer before dialling it, and it isn't lost. */
export class ContactNotes {
  readonly #peers: PeerStore;
  readonly #book: PeerBook;
  readonly #logger: Logger;
  readonly #notedAt = new Map<string, number>();

  constructor(peers: PeerStore, book: PeerBook, logger: Logger) {
    this.#peers = peers;
    this.#book = book;
    this.#logger = logger;
  }

  seen(site: string): void {
    const now = performance.now();
    if (now - (this.#notedAt.get(site) ?? -Infinity) < everyMs) return;
    this.#notedAt.set(site, now);
    this.#note(site).catch((error: unknown) => {
      this.#notedAt.delete(site);
      if (isConnectionError(error)) return;
      this.#logger.error({ event: 'wire.contact_not_noted', site, err: error });
    });
  }

  async #note(site: string): Promise<void> {
    await this.#peers.contacted(site);
    if (this.#book.of(site)?.state === 'offline') await this.#peers.happened(site, 'returned');
  }
}
