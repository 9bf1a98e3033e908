import { z } from 'zod';
import { filterSchema } from '../board.ts';
import { timeSchema } from '../event.ts';
import { feedEpochSchema, hashSchema, keyIdSchema, siteIdSchema } from './feed-header.ts';

/** DSSE payload type of a room's genesis. */
export const roomGenesisType = 'application/vnd.boardwire.room+json';

/** What a room is made of: `br1` and the base32 SHA-256 of these bytes (RFC 8785) is its id. Signed by the creator's root key. */
export const roomGenesisSchema = z.strictObject({
  v: z.literal(1),
  creator: siteIdSchema,
  /** Who may let sites in and remove them. */
  admins: z.array(siteIdSchema).min(1).max(64),
  /** A human alias; it proves nothing. */
  alias: z.string().min(1).max(64),
  /** Subjects that are shared. What never leaves a site doesn't, whatever stands here. */
  subjects: z.array(filterSchema).min(1).max(32),
  created: timeSchema,
  /** 128 random bits, hex: two rooms of the same description are two rooms. */
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
});
export type RoomGenesis = z.infer<typeof roomGenesisSchema>;

/** How far one feed is known: `n` is the last oseq, `hash` that header's. `n` 0: nothing, and no hash. */
export const feedPositionSchema = z.strictObject({
  epoch: feedEpochSchema,
  n: z.number().int().nonnegative(),
  hash: hashSchema.optional(),
});
export type FeedPosition = z.infer<typeof feedPositionSchema>;

/** By site. */
export const feedVectorSchema = z.record(siteIdSchema, feedPositionSchema);
export type FeedVector = z.infer<typeof feedVectorSchema>;

/** DSSE payload type of a feed's signed head. */
export const feedHeadType = 'application/vnd.boardwire.feed-head+json';

/** A site's own word of how far its feed reaches, signed with its event key: withholding what is below shows. */
export const feedHeadSchema = z.strictObject({
  v: z.literal(1),
  room: z.string(),
  site: siteIdSchema,
  epoch: feedEpochSchema,
  n: z.number().int().nonnegative(),
  hash: hashSchema,
  at: timeSchema,
  kid: keyIdSchema,
});
export type FeedHead = z.infer<typeof feedHeadSchema>;
