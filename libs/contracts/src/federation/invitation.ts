import { z } from 'zod';
import { decodeBase64url, encodeBase64url } from '../base64url.ts';
import { filterSchema } from '../board.ts';
import { timeSchema } from '../event.ts';
import { peerScopeSchema } from './fed-requests.ts';
import { roomIdSchema, siteIdSchema } from './feed-header.ts';

const prefix = 'bwi1.';
const charsMax = 16_384;

/** What the inviting operator hands over, out of band. Its secret is worth one handshake. */
export const invitationSchema = z.strictObject({
  site: siteIdSchema,
  /** What the inviting site and its room are called there; neither proves anything. */
  name: z.string().max(200).optional(),
  alias: z.string().max(64).optional(),
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

/** The invitation as one line of text. */
export function encodeInvitation(invitation: Invitation): string {
  return prefix + encodeBase64url(JSON.stringify(invitation));
}

/** Reverses {@link encodeInvitation}; blanks around it don't matter. Undefined for anything else. */
export function decodeInvitation(text: string): Invitation | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith(prefix) || trimmed.length > charsMax) return undefined;
  try {
    return invitationSchema.safeParse(JSON.parse(decodeBase64url(trimmed.slice(prefix.length)))).data;
  } catch {
    return undefined;
  }
}

/**
 * What two operators read to each other before they confirm a peer: five groups of four characters of the site's id, which
 * is the hash of its root key. 100 bits: nobody makes a key with the same ones.
 */
export function fingerprintOf(site: string): string {
  return site.slice(3, 23).match(/.{4}/g)!.join(' ');
}
