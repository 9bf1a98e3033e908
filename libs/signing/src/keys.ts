import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';

// DER prefixes of RFC 8410: what PKCS #8 and SubjectPublicKeyInfo put before the 32 raw bytes of an Ed25519 key.
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const keyBytes = 32;
const signatureBytes = 64;

/** Checks Ed25519 signatures (RFC 8032) of one public key. */
export interface VerifyingKey {
  /** The raw 32 bytes. */
  readonly publicKey: Buffer;
  /** False for a wrong signature and for one that is not 64 bytes; never throws. */
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

/** Makes Ed25519 signatures (RFC 8032). */
export interface SigningKey extends VerifyingKey {
  /** 64 bytes, the same for the same message. */
  sign(message: Uint8Array): Buffer;
  /** The raw 32-byte seed: all there is to store. Keep it as secret as the key. */
  exportSeed(): Buffer;
}

/** A new random key. */
export function generateSigningKey(): SigningKey {
  const der = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
  return importSigningKey(der.subarray(pkcs8Prefix.length));
}

/** The key of a stored 32-byte seed. Throws a RangeError for any other length. */
export function importSigningKey(seed: Uint8Array): SigningKey {
  assertLength(seed, 'seed');
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey);
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(spkiPrefix.length);
  return {
    publicKey: raw,
    sign: (message) => sign(null, message, privateKey),
    verify: (message, signature) => verifyWith(publicKey, message, signature),
    exportSeed: () => Buffer.from(seed),
  };
}

/** The checker for a raw 32-byte public key. Throws a RangeError for any other length. */
export function importVerifyingKey(publicKey: Uint8Array): VerifyingKey {
  assertLength(publicKey, 'public key');
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' });
  const raw = Buffer.from(publicKey);
  return { publicKey: raw, verify: (message, signature) => verifyWith(key, message, signature) };
}

const imported = new WeakMap<VerifyingKey, KeyObject>();

/**
 * As `key.verify`, on a thread of the pool: for many signatures of strangers, which must not hold up everything else.
 * False for a wrong signature and for one that is not 64 bytes; never rejects.
 */
export function verifyAsync(key: VerifyingKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (signature.length !== signatureBytes) return Promise.resolve(false);
  let object = imported.get(key);
  if (object === undefined) {
    object = createPublicKey({ key: Buffer.concat([spkiPrefix, key.publicKey]), format: 'der', type: 'spki' });
    imported.set(key, object);
  }
  const publicKey = object;
  return new Promise((resolve) => {
    verify(null, message, publicKey, signature, (error, isValid) => resolve(error === null && isValid));
  });
}

function verifyWith(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === signatureBytes && verify(null, message, key, signature);
}

function assertLength(bytes: Uint8Array, what: string): void {
  if (bytes.length !== keyBytes) throw new RangeError(`an Ed25519 ${what} is ${keyBytes} bytes, not ${bytes.length}`);
}
