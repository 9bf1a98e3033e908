import { z } from 'zod';
import { timeSchema } from '../event.ts';
import { appendItemSchema } from '../internal.ts';
import { limits } from '../limits.ts';
import { hashSchema, siteIdSchema } from './feed-header.ts';

/**
 * One event that another site accepted. Everything is as it was there: id, time, author, and the salt, so that the hash of
 * its data is the same on every site. `data` is the JSON text or base64 that the hash was made of.
 */
export const foreignItemSchema = z.strictObject({
  ...appendItemSchema.shape,
  origin: siteIdSchema,
  time: timeSchema,
  /** Hex. */
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  /** Hex SHA-256 of salt ‖ data: an item whose data makes another one is refused. */
  datahash: hashSchema,
});
export type ForeignItem = z.infer<typeof foreignItemSchema>;

/** `POST /internal/v1/boards/{board}/foreign-events`, for federation alone; answered as an append. */
export const foreignAppendRequestSchema = z.strictObject({
  items: z.array(foreignItemSchema).min(1).max(limits.appendBatchEventsMax),
});
export type ForeignAppendRequest = z.infer<typeof foreignAppendRequestSchema>;
