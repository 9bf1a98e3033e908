import { createHash } from 'node:crypto';
import { encodeBase32 } from '@boardwire/signing';

/** A site's id follows from its root public key (the raw 32 bytes): nobody can claim another's. */
export function siteIdOf(rootPublicKey: Uint8Array): string {
  return `bs1${encodeBase32(createHash('sha256').update('boardwire-site/1\n').update(rootPublicKey).digest())}`;
}

/** A key's id follows from its use and its public key, so that no key can pass as one of another use. */
export function keyIdOf(use: string, publicKey: Uint8Array): string {
  const digest = createHash('sha256').update(`boardwire-key/1\n${use}\n`).update(publicKey).digest();
  return `bk1${encodeBase32(digest.subarray(0, 10))}`;
}
