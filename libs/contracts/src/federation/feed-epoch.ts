import { z } from 'zod';
import { timeSchema } from '../event.ts';
import { feedEpochSchema, hashSchema, roomIdSchema, siteIdSchema } from './feed-header.ts';

/** DSSE payload type of a {@link FeedEpoch}. */
export const feedEpochType = 'application/vnd.boardwire.feed-epoch+json';

/**
 * A site opens a feed of a room, or goes on in a new epoch of it. Signed with the root key: whoever holds a restored
 * backup or a stolen event key can't do it.
 */
export const feedEpochRecordSchema = z.strictObject({
  v: z.literal(1),
  room: roomIdSchema,
  site: siteIdSchema,
  epoch: feedEpochSchema,
  /** 0 for a site's first epoch in a room, then 1, 2, 3 … */
  ordinal: z.number().int().nonnegative(),
  /** The last place of the epoch before that the site stands by. */
  after: z.strictObject({ epoch: feedEpochSchema, n: z.number().int().nonnegative(), hash: hashSchema }).optional(),
  at: timeSchema,
});
export type FeedEpochRecord = z.infer<typeof feedEpochRecordSchema>;
