import { z } from 'zod';
import { timeSchema } from '../event.ts';
import { envelopeSchema } from './envelope.ts';
import { roomIdSchema, siteIdSchema } from './feed-header.ts';
import { federationLimits } from './federation-limits.ts';
import { feedPositionSchema } from './federation-room.ts';

/** DSSE payload type of a {@link RoomMembership}. */
export const roomMembershipType = 'application/vnd.boardwire.room-member+json';

/**
 * An admin of the room lets a site in, or removes it; signed with the admin's root key. Of several about one member the
 * highest ordinal holds; of two with the same ordinal the removal does. The creator is a member without one.
 */
export const roomMembershipSchema = z.strictObject({
  v: z.literal(1),
  room: roomIdSchema,
  member: siteIdSchema,
  by: siteIdSchema,
  action: z.enum(['added', 'removed']),
  /** 1, 2, 3 … for each member. */
  ordinal: z.number().int().positive(),
  /**
   * Of a removal: how far the admin has the member's feed. Every member takes it up to there and no further, so that all
   * end with the same; absent: nothing more is taken.
   */
  upTo: feedPositionSchema.optional(),
  at: timeSchema,
});
export type RoomMembership = z.infer<typeof roomMembershipSchema>;

/**
 * All that a site needs to take a member's feed, whoever brings it: each part proves itself. `epochs` are the records of
 * its feed in the room (`feedEpochType`), the oldest first; `membership` is empty for the creator alone.
 */
export const memberBundleSchema = z.strictObject({
  document: envelopeSchema,
  epochs: z.array(envelopeSchema).max(64),
  membership: z.array(envelopeSchema).max(8),
});
export type MemberBundle = z.infer<typeof memberBundleSchema>;

export const memberBundlesSchema = z.array(memberBundleSchema).max(federationLimits.membersMax);
