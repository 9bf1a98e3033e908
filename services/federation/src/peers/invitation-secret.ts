import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const secretBytes = 32;

export const newInvitationSecret = (): string => randomBytes(secretBytes).toString('base64url');

/** Secrets are stored by their hash: who reads the table can't accept an invitation. */
export function secretHash(secret: string): Buffer {
  return createHash('sha256').update(`boardwire-invitation/1\n${secret}`).digest();
}

/** Whether a secret is the one of this hash, in a time that tells nothing. */
export function isSecretOf(secret: string, hash: Buffer): boolean {
  return timingSafeEqual(secretHash(secret), hash);
}
