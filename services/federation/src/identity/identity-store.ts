import type { SignedSiteDocument } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import { importSigningKey } from '@boardwire/signing';
import type { KeyVault } from './key-vault.ts';
import type { KeyUse, SiteKey } from './site-keys.ts';

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

/** The tables of the site's identity, inside one transaction. */
export class IdentityStore {
  readonly #transaction: Queryable;
  readonly #vault: KeyVault;

  constructor(transaction: Queryable, vault: KeyVault) {
    this.#transaction = transaction;
    this.#vault = vault;
  }

  /** Until the transaction ends: two replicas that start at once must not make two identities. */
  async lock(): Promise<void> {
    await this.#transaction.query(`SELECT pg_advisory_xact_lock(hashtextextended('federation.identity', 0))`);
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
