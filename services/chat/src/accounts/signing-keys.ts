import { limits } from '@boardwire/contracts';
import { isConnectionError, type Database } from '@boardwire/database';
import type { Logger } from '@boardwire/service-kit';
import type { JWK } from 'jose';
import { settleSigningKeys } from './rotate-signing-key.ts';
import { SigningKeyVault, type SealedSigningKey, type SigningKey } from './signing-key-vault.ts';

interface CurrentRow extends SealedSigningKey {
  /** A new key's time has come. */
  is_due: boolean;
}

const attemptsMax = 5;
/** The key may be rotated by another program, and another replica may have begun to sign with the new one. */
const lookEveryMs = 1_000;
/** Tokens that a retired key has signed are still verified as long as they live, and clocks may differ. */
const verifiableSeconds = (2 * limits.accessTokenMs) / 1_000;

/** The key that signs access tokens. Kept in the schema, sealed with a key derived from the site's internal secret. */
export class SigningKeys {
  readonly #vault: SigningKeyVault;
  #current: SigningKey | undefined;
  #lookedAtMs = -Infinity;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
    secret: string,
  ) {
    this.#vault = new SigningKeyVault(secret);
  }

  /** The key that all replicas sign with; made at the first call in a site's life. */
  async current(): Promise<SigningKey> {
    if (this.#current !== undefined && performance.now() - this.#lookedAtMs < lookEveryMs) return this.#current;
    try {
      this.#current = await this.#load();
      this.#lookedAtMs = performance.now();
      return this.#current;
    } catch (error) {
      // Tokens of a key that has retired meanwhile verify as well.
      if (this.#current === undefined || !isConnectionError(error)) throw error;
      return this.#current;
    }
  }

  /** When the key in use was made; undefined before its first use. */
  get madeAt(): Date | undefined {
    return this.#current?.madeAt;
  }

  /** Public keys, also of keys that were retired a moment ago and of the one that is next: it verifies before it signs. */
  async publicKeys(): Promise<JWK[]> {
    const rows = await this.database.query<Pick<SealedSigningKey, 'public_key'>>(
      `SELECT public_key FROM (
         SELECT public_key, created_at FROM signing_key
         WHERE retired_at IS NULL OR coalesce(verifies_until, retired_at + $1 * interval '1 second') > now()
         UNION ALL SELECT public_key, created_at FROM next_signing_key
       ) AS known ORDER BY created_at`,
      [verifiableSeconds],
    );
    return rows.map(({ public_key }) => JSON.parse(public_key) as JWK);
  }

  async #load(): Promise<SigningKey> {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      // oxlint-disable-next-line no-await-in-loop -- another replica may be making it
      const [row] = await this.database.query<CurrentRow>(currentKey);
      if (row?.is_due === true) {
        // oxlint-disable-next-line no-await-in-loop
        await this.database.transaction(settleSigningKeys);
        continue;
      }
      if (row !== undefined && row.kid === this.#current?.kid) return this.#current;
      const key = row === undefined ? undefined : this.#open(row);
      if (key !== undefined) return key;
      // oxlint-disable-next-line no-await-in-loop
      await this.#replace(row?.kid);
    }
    throw new Error('no signing key could be made');
  }

  #open(row: SealedSigningKey): SigningKey | undefined {
    const key = this.#vault.open(row);
    if (key === undefined) this.logger.warn({ event: 'signing_key.sealed_with_another_secret', kid: row.kid });
    return key;
  }

  /** A key that was sealed with another secret can't be used any more: it is retired. */
  async #replace(kid: string | undefined): Promise<void> {
    const made = await this.#vault.make();
    await this.database.transaction(async (transaction) => {
      await transaction.query('UPDATE signing_key SET retired_at = now() WHERE kid = $1', [kid ?? '']);
      await transaction.query(
        'INSERT INTO signing_key (kid, public_key, sealed_private_key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
        [made.kid, made.public_key, made.sealed_private_key],
      );
    });
    this.logger.info({ event: 'signing_key.made', kid: made.kid, replaces: kid });
  }
}

const currentKey = `
  SELECT *, EXISTS (SELECT FROM next_signing_key WHERE signs_from <= now()) AS is_due
  FROM signing_key WHERE retired_at IS NULL`;
