import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { limits } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { Logger } from '@boardwire/service-kit';
import { calculateJwkThumbprint, type JWK } from 'jose';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly madeAt: Date;
}

interface KeyRow {
  kid: string;
  public_key: string;
  sealed_private_key: Buffer;
  created_at: Date;
}

const attemptsMax = 5;
/** Tokens that a retired key has signed are still verified as long as they live, and clocks may differ. */
const verifiableSeconds = (2 * limits.accessTokenMs) / 1_000;

/** The key that signs access tokens. Kept in the schema, sealed with a key derived from the site's internal secret. */
export class SigningKeys {
  readonly #sealingKey: Uint8Array;
  #current: SigningKey | undefined;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
    secret: string,
  ) {
    this.#sealingKey = new Uint8Array(hkdfSync('sha256', secret, '', 'boardwire chat signing key v1', 32));
  }

  /** The key that all replicas sign with; made at the first call in a site's life. */
  async current(): Promise<SigningKey> {
    return (this.#current ??= await this.#load());
  }

  /** When the key in use was made; undefined before its first use. */
  get madeAt(): Date | undefined {
    return this.#current?.madeAt;
  }

  /** Public keys, also of keys that were retired a moment ago. */
  async publicKeys(): Promise<JWK[]> {
    const rows = await this.database.query<KeyRow>(
      `SELECT public_key FROM signing_key
       WHERE retired_at IS NULL OR retired_at > now() - $1 * interval '1 second' ORDER BY created_at`,
      [verifiableSeconds],
    );
    return rows.map(({ public_key }) => JSON.parse(public_key) as JWK);
  }

  async #load(): Promise<SigningKey> {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      // oxlint-disable-next-line no-await-in-loop -- another replica may be making it
      const [row] = await this.database.query<KeyRow>('SELECT * FROM signing_key WHERE retired_at IS NULL');
      const key = row === undefined ? undefined : this.#open(row);
      if (key !== undefined) return key;
      // oxlint-disable-next-line no-await-in-loop
      await this.#replace(row?.kid);
    }
    throw new Error('no signing key could be made');
  }

  /** A key that was sealed with another secret can't be used any more: it is retired. */
  async #replace(kid: string | undefined): Promise<void> {
    const made = await this.#make();
    await this.database.transaction(async (transaction) => {
      await transaction.query('UPDATE signing_key SET retired_at = now() WHERE kid = $1', [kid ?? '']);
      await transaction.query(
        'INSERT INTO signing_key (kid, public_key, sealed_private_key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
        [made.kid, made.public_key, made.sealed_private_key],
      );
    });
    this.logger.info({ event: 'signing_key.made', kid: made.kid, replaces: kid });
  }

  async #make(): Promise<Omit<KeyRow, 'created_at'>> {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const jwk = publicKey.export({ format: 'jwk' }) as JWK;
    const kid = await calculateJwkThumbprint(jwk);
    const secret = privateKey.export({ format: 'der', type: 'pkcs8' });
    const public_key = JSON.stringify({ ...jwk, kid, alg: 'EdDSA', use: 'sig' });
    return { kid, public_key, sealed_private_key: this.#seal(kid, secret) };
  }

  /** AES-256-GCM: nonce, tag, ciphertext; bound to the key's id. */
  #seal(kid: string, secret: Buffer): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#sealingKey, nonce).setAAD(Buffer.from(kid));
    const sealed = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  #open({ kid, sealed_private_key: sealed, created_at: madeAt }: KeyRow): SigningKey | undefined {
    const decipher = createDecipheriv('aes-256-gcm', this.#sealingKey, sealed.subarray(0, 12));
    decipher.setAAD(Buffer.from(kid)).setAuthTag(sealed.subarray(12, 28));
    try {
      const der = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
      return { kid, madeAt, privateKey: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }) };
    } catch {
      this.logger.warn({ event: 'signing_key.sealed_with_another_secret', kid });
      return undefined;
    }
  }
}
