import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const cipher = 'aes-256-gcm';
const purpose = 'boardwire-federation/key-at-rest/1';
const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals private keys for the database: AES-256-GCM under a key derived from a secret of the configuration (HKDF-SHA256,
 * a salt for each sealing), so that a copy of the database alone can't speak for the site. What is sealed is bound to
 * the id of its key: one row's content opens in no other row.
 */
export class KeyVault {
  readonly #secrets: readonly string[];

  /** @param secrets the one in force first, then former ones that may still be needed to open. */
  constructor(secrets: readonly [string, ...string[]]) {
    this.#secrets = secrets;
  }

  /** `salt ‖ nonce ‖ tag ‖ ciphertext`. */
  seal(keyId: string, plain: Uint8Array): Buffer {
    const salt = randomBytes(saltBytes);
    const nonce = randomBytes(nonceBytes);
    const sealing = createCipheriv(cipher, sealingKey(this.#secrets[0] ?? '', salt), nonce);
    sealing.setAAD(Buffer.from(keyId));
    const ciphertext = Buffer.concat([sealing.update(plain), sealing.final()]);
    return Buffer.concat([salt, nonce, sealing.getAuthTag(), ciphertext]);
  }

  /** `isCurrent` is false when a former secret was needed: then it should be sealed anew. */
  open(keyId: string, sealed: Uint8Array): { plain: Buffer; isCurrent: boolean } {
    for (const [at, secret] of this.#secrets.entries()) {
      const plain = tryOpen(secret, keyId, sealed);
      if (plain !== undefined) return { plain, isCurrent: at === 0 };
    }
    throw new Error(
      `the site's key ${keyId} was sealed under another secret: set KEY_SECRET_FORMER to the KEY_SECRET ` +
        '(or, if there was none, the INTERNAL_SECRET) that was in force before',
    );
  }
}

function tryOpen(secret: string, keyId: string, sealed: Uint8Array): Buffer | undefined {
  const salt = sealed.subarray(0, saltBytes);
  const nonce = sealed.subarray(saltBytes, saltBytes + nonceBytes);
  const tag = sealed.subarray(saltBytes + nonceBytes, saltBytes + nonceBytes + tagBytes);
  const ciphertext = sealed.subarray(saltBytes + nonceBytes + tagBytes);
  try {
    const opening = createDecipheriv(cipher, sealingKey(secret, salt), nonce, { authTagLength: tagBytes });
    opening.setAAD(Buffer.from(keyId));
    opening.setAuthTag(tag);
    return Buffer.concat([opening.update(ciphertext), opening.final()]);
  } catch {
    return undefined;
  }
}

function sealingKey(secret: string, salt: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, purpose, 32));
}
