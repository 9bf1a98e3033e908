import type { SignedSiteDocument } from '@boardwire/contracts';
import { isConnectionError, type Database } from '@boardwire/database';
import type { Logger, Loop } from '@boardwire/service-kit';
import type { KeyVault } from './key-vault.ts';
import { loadSiteIdentity, type SiteIdentity } from './site-identity.ts';
import type { SiteKeys } from './site-keys.ts';

export interface LiveIdentityOptions {
  database: Database;
  vault: KeyVault;
  logger: Logger;
}

interface Marks {
  ver: number;
  /** Of the keys in force. */
  kids: string;
  /** A key's time has come. */
  isDue: boolean;
}

/** The lead that a new key is given before it signs is a multiple of this: every replica tells of it before any uses it. */
const lookEveryMs = 1_000;

/** The site's identity as its tables have it: keys are rotated by another program, and each replica follows. */
export class LiveIdentity implements SiteIdentity {
  readonly #options: LiveIdentityOptions;
  readonly #listeners = new Set<() => void>();
  #now: SiteIdentity;
  #toldOf: number | undefined;

  constructor(first: SiteIdentity, options: LiveIdentityOptions) {
    this.#now = first;
    this.#options = options;
  }

  get siteId(): string {
    return this.#now.siteId;
  }

  get keys(): SiteKeys {
    return this.#now.keys;
  }

  get eventKeys(): SiteIdentity['eventKeys'] {
    return this.#now.eventKeys;
  }

  get document(): SignedSiteDocument {
    return this.#now.document;
  }

  get documentVersion(): number {
    return this.#now.documentVersion;
  }

  /** Other keys are in force, or the document is another one. */
  onChanged(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await this.look().catch((error: unknown) => {
        if (!isConnectionError(error)) throw error;
      });
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(lookEveryMs);
    }
  }

  async look(): Promise<void> {
    const { database, vault, logger } = this.#options;
    const { ver, kids, isDue } = (await database.query<Marks>(marks))[0]!;
    if (ver < this.documentVersion) return this.#putBack(ver);
    if (!isDue && ver === this.documentVersion && kids === kidsOf(this.keys)) return;
    const next = await loadSiteIdentity(database, vault);
    if (next.siteId !== this.siteId) throw new Error('the database holds the keys of another site');
    this.#now = next;
    const { hop, event } = next.keys;
    logger.info({ event: 'federation.keys', ver: next.documentVersion, hop: hop.keyId, signs: event.keyId });
    for (const listener of this.#listeners) listener();
  }

  /** A backup from before a rotation: others know what it has forgotten, so this process goes on with what it has. */
  #putBack(ver: number): void {
    if (this.#toldOf === ver) return;
    this.#toldOf = ver;
    this.#options.logger.error({ event: 'federation.keys_put_back', ver, known: this.documentVersion });
  }
}

const kidsOf = (keys: SiteKeys) =>
  Object.values(keys)
    .map(({ keyId }) => keyId)
    .toSorted()
    .join(' ');

const marks = `
  SELECT coalesce((SELECT max(ver) FROM site_document), 0) AS ver,
    coalesce((SELECT string_agg(kid, ' ' ORDER BY kid COLLATE "C") FROM site_key WHERE retired_at IS NULL), '') AS kids,
    EXISTS (SELECT FROM next_site_key WHERE signs_from <= now())
      OR EXISTS (SELECT FROM site_key WHERE named_until <= now()) AS "isDue"`;
