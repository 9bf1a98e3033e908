import { z } from 'zod';
import { limits } from './limits.ts';

/**
 * `GET /internal/v1/boards/{board}/removed?from=&before=`: seqs from `from` on, and below `before`, whose content was
 * removed; newest first, and no more than a page. `DELETE /internal/v1/boards/{board}/events/{seq}` removes content; 204, also when repeated.
 */
export const removedSeqsSchema = z.object({ removals: z.number().int(), seqs: z.array(z.number().int()) });
export type RemovedSeqs = z.infer<typeof removedSeqsSchema>;

/**
 * `GET /internal/v1/boards/{board}/events/{seq}/disclosure`, for audit: what an event's `datahash` was made of, salt in hex and
 * data in base64. 404 once the content was removed.
 */
export const storedDisclosureSchema = z.object({ salt: z.string(), data: z.string() });
export type StoredDisclosure = z.infer<typeof storedDisclosureSchema>;

/**
 * `PUT /internal/v1/follower-marks`: how far the calling service has stored each board. What has outlived its board's
 * retention is removed only after every such follower has it.
 */
export const followerMarksSchema = z.strictObject({
  marks: z
    .array(z.strictObject({ board: z.string(), epoch: z.string(), seq: z.number().int().nonnegative() }))
    .max(limits.boardsMax),
});
export type FollowerMarks = z.infer<typeof followerMarksSchema>;
