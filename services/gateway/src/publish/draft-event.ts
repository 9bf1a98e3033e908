import {
  accountSource,
  checkAttributes,
  cloudEventAttributes,
  limits,
  plainEventSchema,
  type ErrorCode,
  type ExtensionValue,
} from '@boardwire/contracts';
import { AppError, invalid } from '@boardwire/service-kit';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { whyNotStorable } from './storable.ts';

/** An event as its publisher gave it, with what the gateway fills in. */
export interface DraftEvent {
  id: string;
  source: string;
  type: string;
  subject: string;
  time?: string;
  datacontenttype?: string;
  dataschema?: string;
  data?: unknown;
  data_base64?: string;
  extensions?: Record<string, ExtensionValue>;
}

/** What came out of a JSON parser is JSON; looking at each value again costs more than all the rest of the check. */
const parsedJson = z.unknown().optional();

const plainSchema = plainEventSchema.extend({ data: parsedJson });
/** `source` may be left out: it is the account's own in any case. */
const structuredSchema = cloudEventAttributes
  .extend({ data: parsedJson, source: cloudEventAttributes.shape.source.optional() })
  .superRefine(checkAttributes);

export type EventShape = 'plain' | 'structured';

/**
 * @param bytes the size of the value as JSON, where it is known
 * @throws AppError `invalid`, `invalid_subject`, `invalid_event`, `invalid_source` or `too_large`.
 */
export function draftOf(shape: EventShape, value: unknown, publisherId: string, bytes?: number): DraftEvent {
  const parsed = shape === 'plain' ? parse(plainSchema, value) : parse(structuredSchema, withoutNulls(value));
  const source = accountSource(publisherId);
  if ('source' in parsed && parsed.source !== undefined && parsed.source !== source) {
    throw new AppError('invalid_source', { detail: `the source of your events is ${source}` });
  }
  const reason = whyNotStorable(parsed.data);
  if (reason !== undefined) throw new AppError('invalid_event', { detail: reason });
  if (bytes === undefined ? isTooLarge(parsed) : bytes > limits.eventBytesMax) {
    throw new AppError('too_large', { detail: `an event is at most ${limits.eventBytesMax} bytes` });
  }
  return isStructured(parsed) ? structuredDraft(parsed, source) : plainDraft(parsed, source);
}

type Plain = z.infer<typeof plainSchema>;
type Structured = z.infer<typeof structuredSchema>;

function isStructured(parsed: Plain | Structured): parsed is Structured {
  return 'specversion' in parsed;
}

/** What is not set stays absent: contents are compared. Set one by one: spreads cost more than the rest of the way. */
function plainDraft(parsed: Plain, source: string): DraftEvent {
  const { id = randomUUID(), type, subject, time, data } = parsed;
  const draft: DraftEvent = { id, source, type, subject };
  if (time !== undefined) draft.time = time;
  if (data !== undefined) draft.data = data;
  return draft;
}

function structuredDraft(parsed: Structured, source: string): DraftEvent {
  const { specversion: _version, source: _source, id, type, subject, time, data, ...rest } = parsed;
  const { datacontenttype, dataschema, data_base64, ...extensions } = rest;
  return {
    ...plainDraft({ id, type, subject, time, data }, source),
    ...(datacontenttype === undefined ? {} : { datacontenttype }),
    ...(dataschema === undefined ? {} : { dataschema }),
    ...(data_base64 === undefined ? {} : { data_base64 }),
    ...(Object.keys(extensions).length === 0 ? {} : { extensions }),
  };
}

/** An attribute that is null is one that isn't set (CloudEvents JSON format, 2.2); as data it is a value. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  const isUnset = ([name, inner]: [string, unknown]) => inner === null && name !== 'data';
  return entries.some(isUnset) ? Object.fromEntries(entries.filter((entry) => !isUnset(entry))) : value;
}

function isTooLarge(value: unknown): boolean {
  return sizeMax(value) > limits.eventBytesMax && sizeOf(value) > limits.eventBytesMax;
}

/** JSON's worst spelling: `\u0000` for a unit of a string, all digits for a number. */
const unitBytesMax = 6;
const scalarBytesMax = 32;

/** Never less than {@link sizeOf}, and found without writing anything: nearly every event is far below the limit. */
function sizeMax(value: unknown): number {
  if (typeof value === 'string') return value.length * unitBytesMax + scalarBytesMax;
  if (typeof value !== 'object' || value === null) return scalarBytesMax;
  let sum = scalarBytesMax;
  for (const [key, inner] of Object.entries(value)) sum += key.length * unitBytesMax + scalarBytesMax + sizeMax(inner);
  return sum;
}

/** The bytes that an event takes as JSON, roughly those that will be stored. */
function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function parse<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const refusal = invalid(result.error.issues, result.error);
  const [first] = result.error.issues;
  const code: ErrorCode = first?.path.length === 1 && first.path[0] === 'subject' ? 'invalid_subject' : 'invalid';
  throw new AppError(code, { errors: refusal.errors, cause: result.error });
}
