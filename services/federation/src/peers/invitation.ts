import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { filterSchema, peerScopeSchema, roomIdSchema, siteIdSchema, timeSchema } from '@boardwire/contracts';
import { z } from 'zod';

const prefix = 'bwi1.';
const secretBytes = 32;

/** What the inviting operator hands over, out of band. Its secret is worth one handshake. */
export const invitationSchema = z.strictObject({
  site: siteIdSchema,
  /** Where the inviting site can be dialled; empty for one that nobody can dial, which then dials itself. */
  endpoints: z.array(z.string().max(512)).max(8),
  room: roomIdSchema,
  scopes: z.array(peerScopeSchema).min(1),
  subjects: z.array(filterSchema).min(1).max(32),
  expires: timeSchema,
  /** 256 bits, base64url. */
  secret: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});
export type Invitation = z.infer<typeof invitationSchema>;

export const newInvitationSecret = (): string => randomBytes(secretBytes).toString('base64url');

/** The invitation as one line of text. */
export function encodeInvitation(invitation: Invitation): string {
  return prefix + Buffer.from(JSON.stringify(invitation)).toString('base64url');
}

/** Reverses {@link encodeInvitation}; blanks around it don't matter. Undefined for anything else. */
export function decodeInvitation(text: string): Invitation | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith(prefix) || trimmed.length > 16_384) return undefined;
  try {
    const json = Buffer.from(trimmed.slice(prefix.length), 'base64url').toString('utf8');
    return invitationSchema.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}

/** Secrets are stored by their hash: who reads the table can't accept an invitation. */
export function secretHash(secret: string): Buffer {
  return createHash('sha256').update(`boardwire-invitation/1\n${secret}`).digest();
}

/** Whether a secret is the one of this hash, in a time that tells nothing. */
export function isSecretOf(secret: string, hash: Buffer): boolean {
  return timingSafeEqual(secretHash(secret), hash);
}

/**
 * What two operators read to each other before they confirm a peer: five groups of four characters of the site's id, which
 * is the hash of its root key. 100 bits: nobody makes a key with the same ones.
 */
export function fingerprintOf(site: string): string {
  return site.slice(3, 23).match(/.{4}/g)!.join(' ');
}
