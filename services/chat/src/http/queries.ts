import { limits } from '@boardwire/contracts';
import { z } from 'zod';
import { bounds } from '../bounds.ts';

export const seqSchema = z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

export const syncQuerySchema = z.object({
  since: z.string().max(64).optional(),
  /** Milliseconds to wait for a change; longer than the bound is cut, not refused. */
  wait: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(0)
    .transform((ms) => Math.min(ms, bounds.syncWaitMaxMs)),
});
export type SyncQuery = z.infer<typeof syncQuerySchema>;

export const rangeQuerySchema = z.object({
  from: seqSchema,
  to: seqSchema.optional(),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(limits.rangePageMax)
    .transform((limit) => Math.min(limit, limits.rangePageMax)),
  salts: z
    .enum(['true', 'false'])
    .default('false')
    .transform((answer) => answer === 'true'),
});
export type RangeParameters = z.infer<typeof rangeQuerySchema>;

/** What {@link foreignAppendRequestSchema} says of single items is looked at one by one: a bad one is refused alone. */
export const foreignEnvelopeSchema = z.strictObject({
  items: z.array(z.unknown()).min(1).max(limits.appendBatchEventsMax),
});
export type ForeignEnvelope = z.infer<typeof foreignEnvelopeSchema>;

export const removedQuerySchema = z.object({ from: seqSchema, before: seqSchema.optional() });
export type RemovedQuery = z.infer<typeof removedQuerySchema>;

export const stateQuerySchema = z.strictObject({
  subjects: z.array(z.string()).max(1_024),
  memberSubjects: z.array(z.string()).max(1_024).optional(),
});
export type StateQuery = z.infer<typeof stateQuerySchema>;

export const memberQuerySchema = z.strictObject({
  after: z.string().max(128).default(''),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export type MemberQuery = z.infer<typeof memberQuerySchema>;
