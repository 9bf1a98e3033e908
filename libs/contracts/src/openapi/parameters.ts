import { z } from 'zod';
import { filterSchema } from '../board.ts';
import { eventTypeSchema } from '../event.ts';
import { limits } from '../limits.ts';
import { memberUserIdSchema } from '../member.ts';
import { overflows } from '../sse.ts';
import type { DocumentedParameter } from './documented-route.ts';

const query = (parameter: Omit<DocumentedParameter, 'in'>): DocumentedParameter => ({ in: 'query', ...parameter });
const cursor = z.string().max(64);

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
export const consistencyParameters: readonly DocumentedParameter[] = [
  query({ name: 'from', summary: 'The smaller size, from 1.', schema: whole.min(1), isRequired: true, example: 3 }),
  query({ name: 'to', summary: 'The larger size.', schema: whole, isRequired: true, example: 7 }),
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
  cursor: { summary: 'The cursor of an event.', schema: z.string(), example: 'k3v9x2ab-41' },
  board: { summary: 'The board’s slug.', schema: z.string(), example: 'events' },
  userId: {
    summary: 'The id of an account, or `<issuer>:<subject>` of somebody a trusted issuer vouches for.',
    schema: memberUserIdSchema,
    example: '0190c5d0-1111-7aaa-8bbb-0123456789ab',
  },
  accountId: { summary: 'The id of an account.', schema: z.uuid(), example: '0190c5d0-1111-7aaa-8bbb-0123456789ab' },
  day: { summary: 'A day in the board’s time zone.', schema: z.iso.date(), example: '2026-03-01' },
  seq: { summary: 'The place of an entry in the audit log, from 0.', schema: whole, example: 6 },
};
