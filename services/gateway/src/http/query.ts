import {
  eventTypeSchema,
  filterSchema,
  limits,
  overflows,
  parseCursor,
  type ErrorCode,
  type Overflow,
} from '@boardwire/contracts';
import { AppError, invalid } from '@boardwire/service-kit';
import { z } from 'zod';
import { startAfter, type StreamStart } from '../delivery/stream-start.ts';

const list = (item: z.ZodType<string, string>) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((value) => [value].flat())
    .pipe(z.array(item).min(1).max(limits.filtersPerSubscriptionMax));

/** A whole number as people write one: `1e9`, `0x10` and blanks are not. */
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'a whole number')
    .transform(Number)
    .pipe(z.number().int().min(min).max(max));

export const streamQuerySchema = z
  .strictObject({
    subject: list(filterSchema),
    type: list(eventTypeSchema),
    after: z.string().max(64),
    last: whole(0, limits.lastMax),
    named: z.enum(['0', '1']),
    overflow: z.enum(overflows),
    ticket: z.string().min(1).max(128),
    snapshot: z.enum(['state']),
  })
  .partial();

export const memberQuerySchema = z
  .strictObject({ after: z.string().max(128).default(''), limit: whole(1, limits.historyPageMax).default(100) })
  .partial({ after: true, limit: true });

export const historyQuerySchema = z
  .strictObject({
    subject: list(filterSchema),
    type: list(eventTypeSchema),
    after: z.string().max(64),
    before: z.string().max(64),
    limit: whole(1, limits.historyPageMax).default(limits.historyPageDefault),
  })
  .partial({ subject: true, type: true, after: true, before: true });

export const stateQuerySchema = z.strictObject({ subject: list(filterSchema), type: list(eventTypeSchema) }).partial();
const subjectQuerySchema = z.strictObject({ subject: list(filterSchema) }).partial();

export interface StreamQuery {
  subjects: string[];
  types: string[] | undefined;
  isNamed: boolean;
  /** Takes the place of a token. */
  ticket: string | undefined;
  start: StreamStart;
  overflow: Overflow | undefined;
  /** Whether the state of the board comes first. */
  hasSnapshot: boolean;
  /** A browser comes back by itself, with an address that it was given before. */
  isReturn: boolean;
}

export interface HistoryQueryParameters {
  subjects: string[];
  types: string[] | undefined;
  after: { epoch: string | undefined; seq: number } | undefined;
  before: { epoch: string; seq: number } | undefined;
  limit: number;
}

/** @throws AppError for a parameter that is unknown, repeated or out of its bounds. */
export function parseStreamQuery(query: unknown, lastEventId: string | undefined): StreamQuery {
  const { subject = ['>'], type, after, last, named, overflow, ticket, snapshot } = parse(streamQuerySchema, query);
  const asked = after === undefined ? undefined : startAfter(after);
  if (after !== undefined && asked === undefined) throw new AppError('invalid_cursor', { detail: 'after' });
  const start = resumeAt(lastEventId) ?? asked ?? startWithLast(last);
  return {
    subjects: subject,
    types: type,
    isNamed: named === '1',
    start,
    overflow,
    ticket,
    hasSnapshot: snapshot !== undefined,
    isReturn: (lastEventId ?? '') !== '',
  };
}

export function parseHistoryQuery(query: unknown): HistoryQueryParameters {
  const { subject = ['>'], type, after, before, limit } = parse(historyQuerySchema, query);
  const from = after === 'start' ? { epoch: undefined, seq: 0 } : cursorOf('after', after);
  const to = cursorOf('before', before);
  if (from?.epoch !== undefined && to !== undefined && from.epoch !== to.epoch) {
    throw new AppError('invalid_cursor', { detail: 'after and before are of different epochs' });
  }
  return { subjects: subject, types: type, after: from, before: to, limit };
}

export function parseMemberQuery(query: unknown): { after: string; limit: number } {
  const { after = '', limit = 100 } = parse(memberQuerySchema, query);
  return { after, limit };
}

export function parseStateQuery(query: unknown): { subjects: string[]; types: string[] | undefined } {
  const { subject = ['>'], type } = parse(stateQuerySchema, query);
  return { subjects: subject, types: type };
}

export function parseSubjectQuery(query: unknown): string[] {
  return parse(subjectQuerySchema, query).subject ?? ['>'];
}

/**
 * A browser repeats what it holds, and a status that is not 200 ends it for good: an id that is none of ours is told
 * in the stream, as a cursor that nobody knows.
 */
function resumeAt(lastEventId: string | undefined): StreamStart | undefined {
  if (lastEventId === undefined || lastEventId === '') return undefined;
  const start = lastEventId === 'start' ? undefined : startAfter(lastEventId);
  return start ?? { kind: 'unreadable', requested: printable(lastEventId) };
}

function startWithLast(last: number | undefined): StreamStart {
  return last === undefined ? { kind: 'live' } : { kind: 'last', count: last };
}

function cursorOf(name: string, text: string | undefined) {
  if (text === undefined) return undefined;
  const cursor = parseCursor(text);
  if (cursor === undefined) throw new AppError('invalid_cursor', { detail: name });
  return cursor;
}

function printable(text: string): string {
  return text.slice(0, 64).replace(/[^\x20-\x7e]/g, '?');
}

const codeOfField: Readonly<Record<string, ErrorCode>> = { subject: 'invalid_filter' };

function parse<S extends z.ZodType>(schema: S, query: unknown): z.infer<S> {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const refusal = invalid(result.error.issues, result.error);
  const code = codeOfField[String(result.error.issues[0]?.path[0] ?? '')];
  if (code === undefined) throw refusal;
  throw new AppError(code, { errors: refusal.errors, cause: result.error });
}
