import { isConnectionError } from '@boardwire/database';
import type { Logger } from '@boardwire/service-kit';
import { endpointsIn } from '../site-documents/endpoints-in.ts';
import type { ForeignSiteStore } from '../site-documents/foreign-site-store.ts';
import type { SiteDocuments } from '../site-documents/site-documents.ts';
import type { StoredSiteKeyring } from '../site-documents/site-keyring.ts';

export interface NewerKeysOptions {
  keyring: Pick<StoredSiteKeyring, 'isKnown' | 'forget'>;
  store: Pick<ForeignSiteStore, 'envelope'>;
  documents: Pick<SiteDocuments, 'fetch'>;
  logger: Logger;
  now?: () => number;
}

/** A peer is asked at most so often, whatever keys anybody makes up in its name. */
const againMs = 30_000;
const fetchMs = 5_000;
const peersMax = 4;
const waitingMax = 16;

/**
 * A peer that signs with a key that is unknown here may have a new one: its document says so, at the address that the
 * document known of it names. Nothing in the request is believed.
 */
export class NewerKeys {
  readonly #options: NewerKeysOptions;
  readonly #now: () => number;
  /** Only of peers, so there are as many as there are peers. */
  readonly #askedAt = new Map<string, number>();
  readonly #underWay = new Map<string, { done: Promise<void>; waiting: number }>();

  constructor(options: NewerKeysOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Resolves when no more can be known of the key now: at once for a known one. */
  async look(site: string, kid: string): Promise<void> {
    if (await this.#options.keyring.isKnown(site, kid)) return;
    const open = this.#underWay.get(site);
    if (open !== undefined) {
      // Forgers must not fill the connections with those that wait.
      if (open.waiting >= waitingMax) return;
      open.waiting += 1;
      await open.done;
      return;
    }
    if (this.#underWay.size >= peersMax || this.#now() - (this.#askedAt.get(site) ?? -Infinity) < againMs) return;
    this.#askedAt.set(site, this.#now());
    const done = this.#ask(site).finally(() => this.#underWay.delete(site));
    this.#underWay.set(site, { done, waiting: 1 });
    await done;
  }

  async #ask(site: string): Promise<void> {
    const { store, keyring, logger } = this.#options;
    const envelope = await store.envelope(site);
    const endpoints = envelope === undefined ? [] : endpointsIn(envelope);
    const outcome = await this.#fetch(site, endpoints);
    // Another replica may have taken it already.
    keyring.forget(site);
    logger.info({ event: 'wire.document_asked_for', peer: site, outcome });
  }

  /** From the first of its addresses where it answers. */
  async #fetch(site: string, endpoints: readonly string[]): Promise<string> {
    const { documents } = this.#options;
    const signal = AbortSignal.timeout(fetchMs);
    let outcome = 'no_address';
    try {
      for (const url of endpoints) {
        // oxlint-disable-next-line no-await-in-loop -- in their order
        const answer = await documents.fetch(url, { site, signal });
        if (answer.outcome !== 'refused') return answer.outcome;
        outcome = answer.reason;
      }
    } catch (error) {
      if (isConnectionError(error) || !signal.aborted) throw error;
      outcome = 'timed_out';
    }
    return outcome;
  }
}
