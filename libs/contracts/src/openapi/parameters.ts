import { z } from 'zod';
import { auditKinds, daySchema, readinessLevels, traceSchema } from '../audit/audit-entry.ts';
import { auditExportFormats, auditOrders } from '../audit/audit-filter.ts';
import { boardSlugSchema, filterSchema } from '../board.ts';
import { eventTypeSchema } from '../event.ts';
import { invitationIdSchema, peerDecisions } from '../federation/federation-admin.ts';
import { siteIdSchema } from '../federation/feed-header.ts';
import { ignoredAuthorSchema } from '../ignore.ts';
import { limits } from '../limits.ts';
import { memberUserIdSchema } from '../member.ts';
import { overflows } from '../sse.ts';
import type { DocumentedParameter } from './documented-route.ts';

const query = (parameter: Omit<DocumentedParameter, 'in'>): DocumentedParameter => ({ in: 'query', ...parameter });
const list = (name: string, summary: string, schema: z.ZodType, example: unknown) =>
  query({ name, summary, schema, isList: true, example });
const cursor = z.string().max(64);
const text = (charsMax: number) => z.string().min(1).max(charsMax);
const instant = z.iso.datetime({ offset: true });

export const subjectParameter = query({
  name: 'subject',
  summary: 'A subject filter: `*` stands for one token, `>` for the rest. All subjects when left out.',
  schema: filterSchema,
  isList: true,
  example: ['AxonChat.>'],
});
export const typeParameter = query({
  name: 'type',
  summary: 'An event type. All types when left out.',
  schema: eventTypeSchema,
  isList: true,
  example: ['chat.message.posted'],
});
export const afterParameter = query({
  name: 'after',
  summary: 'A cursor: go on behind it. `start` stands before the first event.',
  schema: cursor,
  example: 'start',
});

/** Of `GET …/events`. */
export const historyParameters: readonly DocumentedParameter[] = [
  subjectParameter,
  typeParameter,
  afterParameter,
  query({ name: 'before', summary: 'A cursor: read back from it.', schema: cursor, example: 'k3v9x2m1-42' }),
  query({
    name: 'limit',
    summary: 'The most events of a page.',
    schema: z.number().int().min(1).max(limits.historyPageMax).default(limits.historyPageDefault),
    example: limits.historyPageDefault,
  }),
];

/** Of `GET …/stream`. */
export const streamParameters: readonly DocumentedParameter[] = [
  subjectParameter,
  typeParameter,
  afterParameter,
  query({
    name: 'last',
    summary: 'The newest so many matching events first; without a cursor only.',
    schema: z.number().int().min(0).max(limits.lastMax),
    example: 10,
  }),
  query({
    name: 'named',
    summary: '`1`: each event names its type in an `event:` line.',
    schema: z.enum(['0', '1']),
    example: '0',
  }),
  query({
    name: 'overflow',
    summary: 'What happens to a client that can’t keep up.',
    schema: z.enum(overflows),
    example: 'disconnect',
  }),
  query({
    name: 'ticket',
    summary: 'A stream ticket in place of a token, for clients that can’t set headers.',
    schema: z.string().min(1).max(128),
    example: 'mJk3…',
  }),
  query({
    name: 'snapshot',
    summary: '`state`: first the newest event of each subject of class `state`, as `GET …/state` answers it.',
    schema: z.enum(['state']),
    example: 'state',
  }),
  {
    name: 'last-event-id',
    in: 'header',
    summary: 'The cursor to go on behind; it wins over `after`. Browsers send it by themselves.',
    schema: cursor,
    example: 'k3v9x2m1-42',
  },
];

const whole = z.number().int().nonnegative();
export const limitParameter = query({
  name: 'limit',
  summary: 'The most entries of a page.',
  schema: z.number().int().min(1).max(limits.historyPageMax).default(limits.historyPageDefault),
  example: limits.historyPageDefault,
});
export const auditDayParameters: readonly DocumentedParameter[] = [
  query({ name: 'after', summary: 'The `next` of the page before.', schema: whole, example: 6 }),
  limitParameter,
];
/** What entries are narrowed by; `isList`: any of several values. */
export const auditFilterParameters: readonly DocumentedParameter[] = [
  list('day', 'Of a day in the entry’s own zone.', daySchema, ['2026-03-01']),
  list('board', 'Of a board.', boardSlugSchema, ['events']),
  query({
    name: 'subject',
    summary: 'Of subjects that a filter matches.',
    schema: filterSchema,
    example: 'AxonChat.>',
  }),
  list('actor', 'By whom: an account’s id, or a name that could not sign in.', text(256), ['ana']),
  list('site', 'The origin: a site’s id, or the service that decided.', text(128), ['gateway']),
  list('peer', 'About a peer.', text(256), ['bs1example']),
  list('kind', 'Events or decisions.', z.enum(auditKinds), ['decision']),
  list('action', 'What was done; an event’s is `publish`.', text(128), ['login']),
  list('outcome', 'What came of it.', text(32), ['refused']),
  list('type', 'An event type.', eventTypeSchema, ['chat.message.posted']),
  list('readiness', 'A decision’s readiness.', z.enum(readinessLevels), ['ERROR']),
  query({ name: 'symbol', summary: 'Contained in the symbol, any case.', schema: text(64), example: 'btc' }),
  query({
    name: 'forced_hold',
    summary: 'Whether the decision was forced to hold.',
    schema: z.enum(['true', 'false']),
    example: 'true',
  }),
  list('trace', 'A W3C trace id.', traceSchema, ['4bf92f3577b34da6a3ce929d0e0e4736']),
  list('event_id', 'An event’s id.', text(128), ['e-42']),
  list('hash', 'A `datahash` or a `leaf_hash`.', z.string().regex(/^[0-9a-fA-F]{64}$/), ['9f'.repeat(32)]),
  query({ name: 'from', summary: 'The first instant.', schema: instant, example: '2026-03-01T00:00:00Z' }),
  query({ name: 'to', summary: 'The first instant too late.', schema: instant, example: '2026-03-02T00:00:00Z' }),
  query({ name: 'q', summary: 'Contained in record or detail, any case.', schema: text(128), example: 'hello' }),
];
const orderParameter = (by: (typeof auditOrders)[number]) =>
  query({ name: 'order', summary: 'Which come first.', schema: z.enum(auditOrders).default(by), example: by });
export const auditEntriesParameters: readonly DocumentedParameter[] = [
  ...auditFilterParameters,
  orderParameter('newest'),
  query({ name: 'cursor', summary: 'The `next` of the page before.', schema: whole, example: 41 }),
  limitParameter,
];
export const auditExportParameters: readonly DocumentedParameter[] = [
  ...auditFilterParameters,
  query({
    name: 'format',
    summary: 'Lines of JSON with a trailer, or CSV.',
    schema: z.enum(auditExportFormats).default('jsonl'),
    example: 'csv',
  }),
  orderParameter('oldest'),
];
export const auditTailParameters: readonly DocumentedParameter[] = [
  ...auditFilterParameters,
  query({ name: 'after', summary: 'Go on behind this entry.', schema: whole, example: 41 }),
  {
    name: 'last-event-id',
    in: 'header',
    summary: 'The same, from the last `id` that was got; it wins.',
    schema: whole,
    example: 41,
  },
];
export const decisionAuditLatestParameters: readonly DocumentedParameter[] = [
  query({ name: 'limit', summary: 'The most records.', schema: whole.min(1).default(50), example: 50 }),
];
export const decisionAuditDayParameters: readonly DocumentedParameter[] = [
  query({
    name: 'day_key',
    summary: 'A day in the market’s zone.',
    schema: z.iso.date(),
    isRequired: true,
    example: '2026-03-01',
  }),
  query({ name: 'limit', summary: 'The most records.', schema: whole.min(1).default(2_000), example: 2_000 }),
];
export const auditDaysParameters: readonly DocumentedParameter[] = [
  query({ name: 'board', summary: 'The days of one board.', schema: boardSlugSchema, example: 'events' }),
];
export const logEpochParameter = query({
  name: 'epoch',
  summary: 'An epoch of the audit log; without it the one that is being written.',
  schema: z.string().regex(/^[a-z2-7]{1,16}$/),
  example: 'kfzwi3tx',
});
const witnessesParameter = query({
  name: 'witnesses',
  summary: 'So many other sites have cosigned the checkpoint, at least: the newest of a log that grows has none yet.',
  schema: whole.max(64),
  example: 1,
});
export const checkpointParameters: readonly DocumentedParameter[] = [
  query({ name: 'size', summary: 'The size that was signed.', schema: whole, example: 7 }),
  logEpochParameter,
  witnessesParameter,
];
export const proofParameters: readonly DocumentedParameter[] = [witnessesParameter];
export const consistencyParameters: readonly DocumentedParameter[] = [
  query({ name: 'from', summary: 'The smaller size, from 1.', schema: whole.min(1), isRequired: true, example: 3 }),
  query({ name: 'to', summary: 'The larger size.', schema: whole, isRequired: true, example: 7 }),
  logEpochParameter,
];

/** Of `GET …/members`. */
export const memberParameters: readonly DocumentedParameter[] = [
  query({
    name: 'after',
    summary: 'The `next` of the page before.',
    schema: z.string().max(128),
    example: '0190c5d0-1111-7aaa-8bbb-0123456789ab',
  }),
  query({
    name: 'limit',
    summary: 'The most members of a page.',
    schema: z.number().int().min(1).max(limits.historyPageMax).default(100),
    example: 100,
  }),
];

/** What may stand in `{name}` of a path. */
export const pathParameters: Readonly<Record<string, { summary: string; schema: z.ZodType; example: unknown }>> = {
  site: { summary: 'The id of a site.', schema: siteIdSchema, example: `bs1${'a'.repeat(52)}` },
  decision: { summary: 'What is decided.', schema: z.enum(peerDecisions), example: 'suspend' },
  invitation: { summary: 'The id of an invitation.', schema: invitationIdSchema, example: 'A'.repeat(43) },
  cursor: { summary: 'The cursor of an event.', schema: z.string(), example: 'k3v9x2ab-41' },
  board: { summary: 'The board’s slug.', schema: z.string(), example: 'events' },
  userId: {
    summary: 'The id of an account, or `<issuer>:<subject>` of somebody a trusted issuer vouches for.',
    schema: memberUserIdSchema,
    example: '0190c5d0-1111-7aaa-8bbb-0123456789ab',
  },
  author: {
    summary: 'The `author` of somebody’s events; of another site’s people with `@` and its id.',
    schema: ignoredAuthorSchema,
    example: '0190c5d0-1111-7aaa-8bbb-0123456789ab',
  },
  accountId: { summary: 'The id of an account.', schema: z.uuid(), example: '0190c5d0-1111-7aaa-8bbb-0123456789ab' },
  day: { summary: 'A day in the board’s time zone.', schema: z.iso.date(), example: '2026-03-01' },
  id: { summary: 'The id of an agent.', schema: z.string(), example: 'agent-7' },
  seq: { summary: 'The number of an entry of the audit log, from 0.', schema: whole, example: 6 },
  tile: { summary: 'Where C2SP tlog-tiles puts it.', schema: z.string(), example: '0/000.p/7' },
};
