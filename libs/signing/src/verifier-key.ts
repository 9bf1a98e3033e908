import { createHash } from 'node:crypto';
import { importVerifyingKey, type VerifyingKey } from './keys.ts';

/** What a key signs with, the byte that C2SP signed-note assigns. */
export const signatureTypes = { ed25519: 0x01, cosignature: 0x04 } as const;
export type SignatureType = (typeof signatureTypes)[keyof typeof signatureTypes];

export class NoteError extends Error {
  override name = 'NoteError';
}

/** A key with the name it signs notes under. */
export interface NamedKey {
  readonly name: string;
  readonly keyHash: number;
  readonly key: VerifyingKey;
}

/** The first four bytes, big-endian, of SHA-256(name ‖ "\n" ‖ type ‖ public key). */
export function noteKeyHash(name: string, publicKey: Uint8Array, type: SignatureType = signatureTypes.ed25519): number {
  return createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([type]))
    .update(publicKey)
    .digest()
    .readUInt32BE(0);
}

/** A `vkey`: `<name>+<key hash in hex>+<base64 of type ‖ public key>`. */
export function formatVerifierKey({ name, keyHash, key }: NamedKey, type: SignatureType): string {
  const encoded = Buffer.concat([Buffer.from([type]), key.publicKey]).toString('base64');
  return `${name}+${hashHex(keyHash)}+${encoded}`;
}

/** Reads a `vkey` of one type. Throws a NoteError unless every part fits, the key hash included. */
export function parseVerifierKey(text: string, type: SignatureType): NamedKey {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text);
  const encoded = match === null ? undefined : strictBase64(match[3]!);
  if (match === null || encoded?.length !== 33 || encoded[0] !== type) {
    throw new NoteError('not an Ed25519 verifier key');
  }
  const name = checkedKeyName(match[1]!);
  const key = importVerifyingKey(encoded.subarray(1));
  const keyHash = noteKeyHash(name, key.publicKey, type);
  if (hashHex(keyHash) !== match[2]) throw new NoteError('the key hash is not that of the key');
  return { name, keyHash, key };
}

/** Throws a NoteError for a name that is empty or holds blanks or a plus. */
export function checkedKeyName(name: string): string {
  if (name === '' || !name.isWellFormed() || /[\s+]/u.test(name)) throw new NoteError('not a key name');
  return name;
}

/** Decodes base64 that is spelled the one right way; two spellings of one signature would be two different notes. */
export function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

const hashHex = (hash: number) => hash.toString(16).padStart(8, '0');
