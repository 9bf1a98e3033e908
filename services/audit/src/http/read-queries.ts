import { auditWholeSchema as whole, boardSlugSchema, daySchema, federationLimits, limits } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { z } from 'zod';

const limit = whole.pipe(z.number().min(1).max(limits.historyPageMax)).default(limits.historyPageDefault);

/** Of the log; without it the one that is being written. */
const logEpoch = z.string().regex(/^[a-z2-7]{1,16}$/, 'an epoch of the log');

export const latestQuerySchema = z.strictObject({ limit });
export type LatestQuery = z.infer<typeof latestQuerySchema>;

/** Of what takes no query: a misspelt condition must not look as if it had been heard. */
export const noQuerySchema = z.strictObject({});

export const daysQuerySchema = z.strictObject({ board: boardSlugSchema.optional() });
export type DaysQuery = z.infer<typeof daysQuerySchema>;

/** `after` is the `next` of the page before. */
export const dayQuerySchema = z.strictObject({ after: whole.default(-1), limit });
export type DayQuery = z.infer<typeof dayQuerySchema>;

export const consistencyQuerySchema = z.strictObject({
  from: whole.pipe(z.number().min(1)),
  to: whole,
  epoch: logEpoch.optional(),
});
export type ConsistencyQuery = z.infer<typeof consistencyQuerySchema>;

/** How many must have cosigned the checkpoint that an answer ends in. */
const witnesses = whole.pipe(z.number().max(federationLimits.membersMax)).optional();

export const checkpointQuerySchema = z.strictObject({
  size: whole.optional(),
  epoch: logEpoch.optional(),
  witnesses,
});
export type CheckpointQuery = z.infer<typeof checkpointQuerySchema>;

export const proofQuerySchema = z.strictObject({ witnesses });
export type ProofQuery = z.infer<typeof proofQuerySchema>;

export const checkpointsQuerySchema = z.strictObject({ limit, epoch: logEpoch.optional() });
export type CheckpointsQuery = z.infer<typeof checkpointsQuerySchema>;

export const epochQuerySchema = z.strictObject({ epoch: logEpoch.optional() });
export type EpochQuery = z.infer<typeof epochQuerySchema>;

/** A calendar day that Postgres knows as well. */
export function dayOf(text: string): string {
  if (!daySchema.safeParse(text).success || text.startsWith('0000')) {
    throw new AppError('invalid_day', { detail: 'a day is written YYYY-MM-DD' });
  }
  return text;
}

export function seqOf(text: string): number {
  const parsed = whole.safeParse(text);
  if (!parsed.success) throw new AppError('not_found', { detail: 'entries are numbered from 0' });
  return parsed.data;
}
