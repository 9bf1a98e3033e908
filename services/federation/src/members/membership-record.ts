import { roomMembershipSchema, roomMembershipType, type RoomMembership } from '@boardwire/contracts';
import { canonicalBytes, signEnvelope, verifyEnvelope, type Envelope, type VerifyingKey } from '@boardwire/signing';
import { parseCanonical } from '../feeds/parse-canonical.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';

/** An admin's word about a member, as it was signed. */
export interface MembershipRecord {
  content: RoomMembership;
  envelope: Envelope;
}

export function signMembership({ keys }: SiteIdentity, content: RoomMembership): MembershipRecord {
  const { keyId: keyid, key } = keys.root;
  return { content, envelope: signEnvelope(roomMembershipType, canonicalBytes(content), [{ keyid, key }]) };
}

/** Whose root key a membership has to be signed with. */
export type RootKeyOf = (site: string) => Promise<VerifyingKey | undefined>;

/**
 * The record inside an envelope, when one of the room's admins has signed it. It says itself by whom, which is believed
 * once that site's root key fits.
 */
export async function provenMembership(
  envelope: Envelope,
  { room, admins, rootKeyOf }: { room: string; admins: readonly string[]; rootKeyOf: RootKeyOf },
): Promise<MembershipRecord | undefined> {
  const content = parseCanonical(Buffer.from(envelope.payload, 'base64url'), roomMembershipSchema);
  if (content === undefined || content.room !== room || !admins.includes(content.by)) return undefined;
  const key = await rootKeyOf(content.by);
  if (key === undefined || verifyEnvelope(envelope, roomMembershipType, key) === undefined) return undefined;
  return { content, envelope };
}

/** Of two records about one member the one that holds: the later, and of two at once the removal. */
export function holds(one: RoomMembership, other: RoomMembership): RoomMembership {
  if (one.ordinal !== other.ordinal) return one.ordinal > other.ordinal ? one : other;
  return one.action === 'removed' ? one : other;
}
