import { importVerifyingKey, type VerifyingKey } from '@boardwire/signing';
import type { HopKeyring } from '../hop/hop-verifier.ts';
import type { SiteKeyring } from '../ingest/site-keyring.ts';
import type { ForeignKey, ForeignSiteStore } from './foreign-site-store.ts';

interface Entry {
  keys: Promise<ReadonlyMap<string, { use: string; isInForce: boolean; key: VerifyingKey }>>;
  until: number;
}

// Another replica may have taken a newer document, with a key given up: it may pass here for so long at most.
const freshMs = 5_000;
const sitesMax = 1_000;

/** Answers from memory, and from the store every few seconds for each site that is asked for. */
export class StoredSiteKeyring implements SiteKeyring, HopKeyring {
  readonly #store: ForeignSiteStore;
  readonly #now: () => number;
  readonly #sites = new Map<string, Entry>();

  constructor(store: ForeignSiteStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Also one that was replaced: where in the feed it may stand is for the feed's rules. */
  async eventKey(site: string, kid: string): Promise<VerifyingKey | undefined> {
    const found = (await this.#keysOf(site)).get(kid);
    return found?.use === 'event' ? found.key : undefined;
  }

  /** Only while the newest document names it. */
  async hopKey(site: string, kid: string): Promise<VerifyingKey | undefined> {
    const found = (await this.#keysOf(site)).get(kid);
    return found?.use === 'hop' && found.isInForce ? found.key : undefined;
  }

  /** Whether its documents have ever named such a key, in force or not. */
  async isKnown(site: string, kid: string): Promise<boolean> {
    return (await this.#keysOf(site)).has(kid);
  }

  /** Its document has changed. */
  forget(site: string): void {
    this.#sites.delete(site);
  }

  #keysOf(site: string): Entry['keys'] {
    const known = this.#sites.get(site);
    if (known !== undefined && known.until > this.#now()) return known.keys;
    const keys = this.#store.keys(site).then(imported);
    this.#sites.delete(site);
    this.#sites.set(site, { keys, until: this.#now() + freshMs });
    // Unknown sites are remembered too, so that asking for them costs no query each; the oldest gives way.
    if (this.#sites.size > sitesMax) this.#sites.delete(this.#sites.keys().next().value ?? '');
    keys.catch(() => this.#sites.get(site)?.keys === keys && this.#sites.delete(site));
    return keys;
  }
}

function imported(rows: readonly ForeignKey[]) {
  return new Map(
    rows.map(({ kid, use, isInForce, public: bytes }) => [kid, { use, isInForce, key: importVerifyingKey(bytes) }]),
  );
}
