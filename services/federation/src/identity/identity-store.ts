import { keyUses, type SignedSiteDocument } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import { importSigningKey } from '@boardwire/signing';
import type { KeyVault } from './key-vault.ts';
import type { KeyUse, NamedKey, SiteKey } from './site-keys.ts';

interface KeyRow {
  kid: string;
  use: KeyUse;
  sealed: Buffer;
}

export interface StoredDocument {
  ver: number;
  /** The canonical JSON of its content, without version and date. */
  content: string;
  envelope: SignedSiteDocument;
}

export interface NextKey {
  use: KeyUse;
  keyId: string;
  signsFrom: Date;
}

/** The tables of the site's identity, inside one transaction. */
export class IdentityStore {
  readonly #transaction: Queryable;
  readonly #vault: KeyVault;

  constructor(transaction: Queryable, vault: KeyVault) {
    this.#transaction = transaction;
    this.#vault = vault;
  }

  lock(): Promise<void> {
    return lockIdentity(this.#transaction);
  }

  /** The keys in force. One that opened with a former secret is sealed anew. */
  async keys(): Promise<SiteKey[]> {
    const rows = await this.#transaction.query<KeyRow>(
      'SELECT kid, use, sealed FROM site_key WHERE retired_at IS NULL',
    );
    const keys: SiteKey[] = [];
    for (const { kid, use, sealed } of rows) {
      const { plain, isCurrent } = this.#vault.open(kid, sealed);
      // oxlint-disable-next-line no-await-in-loop -- a handful of rows, at start
      if (!isCurrent) await this.#reseal(kid, plain);
      keys.push({ keyId: kid, use, key: importSigningKey(plain) });
    }
    return keys;
  }

  async addKey({ keyId, use, key }: SiteKey): Promise<void> {
    await this.#transaction.query('INSERT INTO site_key (kid, use, public, sealed) VALUES ($1, $2, $3, $4)', [
      keyId,
      use,
      key.publicKey,
      this.#vault.seal(keyId, key.exportSeed()),
    ]);
  }

  /** The document names it from now on; in force it is when its time has come, see {@link settleKeys}. */
  async addNextKey({ keyId, use, key }: SiteKey, signAfterMs: number): Promise<void> {
    await this.#transaction.query(
      `INSERT INTO next_site_key (use, kid, public, sealed, signs_from)
       VALUES ($1, $2, $3, $4, now() + $5 * interval '1 millisecond')`,
      [use, keyId, key.publicKey, this.#vault.seal(keyId, key.exportSeed()), signAfterMs],
    );
  }

  async nextKeys(): Promise<NextKey[]> {
    return this.#transaction.query<NextKey>(
      'SELECT use, kid AS "keyId", signs_from AS "signsFrom" FROM next_site_key ORDER BY use',
    );
  }

  /**
   * Next keys whose time has come are in force from now on. The private half of a key that retires is forgotten; the
   * public half of a hop key stays named as long as the next one was before it signed, that of an event key for ever.
   */
  async settleKeys(): Promise<void> {
    await this.#transaction.query(
      `UPDATE site_key SET retired_at = now(), sealed = '',
         named_until = CASE WHEN site_key.use = 'hop' THEN now() + (next.signs_from - next.created_at) END
       FROM next_site_key AS next
       WHERE site_key.use = next.use AND retired_at IS NULL AND next.signs_from <= now()`,
    );
    await this.#transaction.query(
      `INSERT INTO site_key (kid, use, public, sealed, created_at)
       SELECT kid, use, public, sealed, created_at FROM next_site_key WHERE signs_from <= now()`,
    );
    await this.#transaction.query('DELETE FROM next_site_key WHERE signs_from <= now()');
    await this.#transaction.query('UPDATE site_key SET named_until = NULL WHERE named_until <= now()');
  }

  /** Those that the site document names. Event keys never go: members who come later verify the feeds from their beginning. */
  async namedKeys(): Promise<NamedKey[]> {
    return this.#transaction.query<NamedKey>(namedKeys, [[...keyUses]]);
  }

  async latestDocument(): Promise<StoredDocument | undefined> {
    const rows = await this.#transaction.query<{ ver: number; content: string; envelope: string }>(
      'SELECT ver, content, envelope FROM site_document ORDER BY ver DESC LIMIT 1',
    );
    const row = rows[0];
    return row === undefined ? undefined : { ...row, envelope: JSON.parse(row.envelope) as SignedSiteDocument };
  }

  async addDocument({ ver, content, envelope }: StoredDocument): Promise<void> {
    await this.#transaction.query('INSERT INTO site_document (ver, content, envelope) VALUES ($1, $2, $3)', [
      ver,
      content,
      JSON.stringify(envelope),
    ]);
  }

  async #reseal(keyId: string, plain: Buffer): Promise<void> {
    await this.#transaction.query('UPDATE site_key SET sealed = $2 WHERE kid = $1', [
      keyId,
      this.#vault.seal(keyId, plain),
    ]);
  }
}

/** Until the transaction ends: two replicas that start at once must not make two identities. */
export async function lockIdentity(transaction: Queryable): Promise<void> {
  await transaction.query(`SELECT pg_advisory_xact_lock(hashtextextended('federation.identity', 0))`);
}

/** In an order that a key keeps when it takes its place: else the document would change by that. */
const namedKeys = `
  SELECT kid AS "keyId", use, public AS "publicKey" FROM (
    SELECT kid, use, public, created_at FROM site_key
    WHERE retired_at IS NULL OR use = 'event' OR named_until > now()
    UNION ALL SELECT kid, use, public, created_at FROM next_site_key
  ) AS named ORDER BY array_position($1::text[], use), created_at, kid`;
