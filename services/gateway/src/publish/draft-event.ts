import { accountSource, cloudEventSchema, limits, plainEventSchema, type ErrorCode } from '@boardwire/contracts';
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
  data?: unknown;
}

/** What came out of a JSON parser is JSON; looking at each value again costs more than all the rest of the check. */
const parsedJson = z.unknown().optional();

const plainSchema = plainEventSchema.extend({ data: parsedJson });
/** `source` may be left out: it is the account's own in any case. */
const structuredSchema = cloudEventSchema.extend({
  data: parsedJson,
  source: cloudEventSchema.shape.source.optional(),
});

export type EventShape = 'plain' | 'structured';

/** @throws AppError `invalid`, `invalid_subject`, `invalid_event`, `invalid_source` or `too_large`. */
export function draftOf(shape: EventShape, value: unknown, publisherId: string, bytes?: number): DraftEvent {
  const parsed = parse(shape === 'plain' ? plainSchema : structuredSchema, value);
  const source = accountSource(publisherId);
  if ('source' in parsed && parsed.source !== undefined && parsed.source !== source) {
    throw new AppError('invalid_source', { detail: `the source of your events is ${source}` });
  }
  const reason = whyNotStorable(parsed.data);
  if (reason !== undefined) throw new AppError('invalid_event', { detail: reason });
  if (bytes === undefined ? isTooLarge(parsed) : bytes > limits.eventBytesMax) {
    throw new AppError('too_large', { detail: `an event is at most ${limits.eventBytesMax} bytes` });
  }
  const { id = randomUUID(), type, subject, time, data } = parsed;
  const datacontenttype = 'datacontenttype' in parsed ? parsed.datacontenttype : undefined;
  return {
    id,
    source,
    type,
    subject,
    ...(time === undefined ? {} : { time }),
    ...(datacontenttype === undefined ? {} : { datacontenttype }),
    ...(data === undefined ? {} : { data }),
  };
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
