import { z } from 'zod';
import { eventClassSchema } from './event.ts';
import { isFilter } from './subject.ts';
import { limits } from './limits.ts';

export const boardSlugSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens, at most 63');

export const filterSchema = z.string().refine(isFilter, {
  message: `a subject in which a token may be * and the last may be >, at most ${limits.subjectBytesMax} bytes`,
});

/** How a board treats the subjects that a pattern matches; the first matching rule holds. */
export const subjectRuleSchema = z.strictObject({
  pattern: filterSchema,
  class: eventClassSchema.default('log'),
  /** `members`: a wildcard grant never covers it, a membership is needed. */
  access: z.enum(['open', 'members']).default('open'),
});
export type SubjectRule = z.infer<typeof subjectRuleSchema>;

const timeZoneSchema = z.string().refine(
  (zone) => {
    try {
      new Intl.DateTimeFormat('en', { timeZone: zone });
      return true;
    } catch {
      return false;
    }
  },
  { message: 'an IANA time zone such as Europe/Rome' },
);

// eslint-disable-next-line no-control-regex
const bannedPattern = /^(?:[^@\u0000-\u001f]+|[^\u0000-\u001f]*@bs1[a-z2-7]{52})$/;

/**
 * Whose events a board takes no more: `user` of this site, `user@site` of another one, `@site` for everybody of that. An
 * id of a user holds no `@` of its own that matters: the last one parts the two.
 */
export const bannedSchema = z.string().max(256).regex(bannedPattern, 'user, user@site or @site');

export const createBoardSchema = z.strictObject({
  slug: boardSlugSchema,
  title: z
    .string()
    .min(1)
    .max(200)
    .refine((text) => text.isWellFormed() && !text.includes('\u0000'), { message: 'well-formed text' }),
  is_realtime: z.boolean().default(true),
  time_zone: timeZoneSchema.default('UTC'),
  retention: z.strictObject({ days: z.number().int().min(1).max(36_500).nullable() }).default({ days: null }),
  rules: z.array(subjectRuleSchema).max(64).default([]),
});
export type CreateBoard = z.infer<typeof createBoardSchema>;

export const changeBoardSchema = z
  .strictObject({
    title: createBoardSchema.shape.title,
    is_realtime: z.boolean(),
    time_zone: timeZoneSchema,
    retention: z.strictObject({ days: z.number().int().min(1).max(36_500).nullable() }),
    rules: z.array(subjectRuleSchema).max(64),
    banned: z.array(bannedSchema).max(limits.bannedPerBoardMax),
  })
  .partial();
export type ChangeBoard = z.infer<typeof changeBoardSchema>;

export const boardSchema = z.object({
  slug: z.string(),
  /** Numeric alias, for dialects whose clients know boards by number. */
  id: z.number().int(),
  title: z.string(),
  is_realtime: z.boolean(),
  time_zone: z.string(),
  retention: z.object({ days: z.number().int().nullable() }),
  rules: z.array(subjectRuleSchema),
  federation_room_id: z.string().nullable(),
  trusted_peers: z.array(z.string()),
  /** See {@link bannedSchema}. Absent: nobody. */
  banned: z.array(z.string()).optional(),
  epoch: z.string(),
  head: z.number().int(),
  /** Open subscriptions on all gateways; absent on internal routes. */
  subscribers: z.number().int().optional(),
});
export type Board = z.infer<typeof boardSchema>;

/** How a subject's rule guards it; unmatched subjects are open. */
export function accessRuleOf(
  rules: readonly SubjectRule[],
  subject: string,
  matches: (filter: string, subject: string) => boolean,
) {
  return rules.find((rule) => matches(rule.pattern, subject))?.access ?? 'open';
}

/** The class of a subject under a board's rules; unmatched subjects are `log`. */
export function classOf(
  rules: readonly SubjectRule[],
  subject: string,
  matches: (filter: string, subject: string) => boolean,
) {
  return rules.find((rule) => matches(rule.pattern, subject))?.class ?? 'log';
}
