import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly madeAt: Date;
}

/** As it is stored. */
export interface SealedSigningKey {
  kid: string;
  public_key: string;
  sealed_private_key: Buffer;
  created_at: Date;
}

/** Makes keys for access tokens, and seals them under a key that is derived from the site's internal secret. */
export class SigningKeyVault {
  readonly #sealingKey: Uint8Array;

  constructor(secret: string) {
    this.#sealingKey = new Uint8Array(hkdfSync('sha256', secret, '', 'boardwire chat signing key v1', 32));
  }

  async make(): Promise<Omit<SealedSigningKey, 'created_at'>> {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const jwk = publicKey.export({ format: 'jwk' }) as JWK;
    const kid = await calculateJwkThumbprint(jwk);
    const secret = privateKey.export({ format: 'der', type: 'pkcs8' });
    const public_key = JSON.stringify({ ...jwk, kid, alg: 'EdDSA', use: 'sig' });
    return { kid, public_key, sealed_private_key: this.#seal(kid, secret) };
  }

  /** Undefined for one that was sealed with another secret. */
  open({ kid, sealed_private_key: sealed, created_at: madeAt }: SealedSigningKey): SigningKey | undefined {
    const decipher = createDecipheriv('aes-256-gcm', this.#sealingKey, sealed.subarray(0, 12));
    decipher.setAAD(Buffer.from(kid)).setAuthTag(sealed.subarray(12, 28));
    try {
      const der = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
      return { kid, madeAt, privateKey: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }) };
    } catch {
      return undefined;
    }
  }

  /** AES-256-GCM: nonce, tag, ciphertext; bound to the key's id. */
  #seal(kid: string, secret: Buffer): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#sealingKey, nonce).setAAD(Buffer.from(kid));
    const sealed = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }
}
