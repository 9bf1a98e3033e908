import { z } from 'zod';
import { isSubject } from './subject.ts';
import { limits } from './limits.ts';

export const eventClasses = ['log', 'state', 'ephemeral'] as const;
export const eventClassSchema = z.enum(eventClasses);
export type EventClass = z.infer<typeof eventClassSchema>;
export type StoredClass = Exclude<EventClass, 'ephemeral'>;

/** Any JSON. One object, so that documents can give it a name. */
export const jsonValueSchema = z.json();

export const eventTypePattern = /^[A-Za-z0-9._-]{1,128}$/;
/** Printable, no control character: ids and sources travel in headers and log lines. */
// eslint-disable-next-line no-control-regex
const printable = /^[^\u0000-\u001f\u007f-\u009f]+$/u;
const wellFormed = (text: string) => text.isWellFormed();
const utf8Length = (text: string) => new TextEncoder().encode(text).length;

export const subjectSchema = z.string().refine(isSubject, {
  message: `1–${limits.subjectTokensMax} dot-separated tokens of [A-Za-z0-9_~-] or %XX, at most ${limits.subjectBytesMax} bytes, no wildcard`,
});

export const eventIdSchema = z
  .string()
  .min(1)
  .refine((id) => printable.test(id) && wellFormed(id) && utf8Length(id) <= limits.eventIdBytesMax, {
    message: `1–${limits.eventIdBytesMax} bytes without control characters`,
  });

export const eventSourceSchema = z
  .string()
  .min(1)
  .refine(
    (source) => printable.test(source) && wellFormed(source) && utf8Length(source) <= limits.eventSourceBytesMax,
    {
      message: `1–${limits.eventSourceBytesMax} bytes without control characters`,
    },
  );

export const eventTypeSchema = z.string().regex(eventTypePattern, 'must match [A-Za-z0-9._-]{1,128}');

const timeCharsMax = 64;
const firstYearMs = Date.parse('0001-01-01T00:00:00Z');
const yearsEndMs = Date.parse('9999-12-31T23:59:59.999Z');

/** RFC 3339 with a zone; the year is held to 1–9999, in UTC as well, so that Postgres and JSON agree on it. */
export const timeSchema = z.iso
  .datetime({ offset: true })
  .max(timeCharsMax)
  .refine((time) => Date.parse(time) >= firstYearMs && Date.parse(time) <= yearsEndMs, {
    message: 'a time of the years 1 to 9999',
  });

/** A plain publish: `{subject, type, data, id?, time?}`; source is the account's own. */
export const plainEventSchema = z.strictObject({
  id: eventIdSchema.optional(),
  subject: subjectSchema,
  type: eventTypeSchema,
  time: timeSchema.optional(),
  data: jsonValueSchema.optional(),
});
export type PlainEvent = z.infer<typeof plainEventSchema>;

/** The attributes Boardwire adds when it stores an event; together with CloudEvents' own they are the stored bytes. */
export const storedEventSchema = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.string(),
  subject: z.string(),
  time: z.string(),
  datacontenttype: z.string().optional(),
  dataschema: z.string().optional(),
  data: jsonValueSchema.optional(),
  /** Instead of `data`, when it is neither JSON nor text. */
  data_base64: z.string().optional(),
  board: z.string(),
  author: z.string(),
  authorname: z.string(),
  origin: z.string(),
  class: eventClassSchema,
});
export type StoredEvent = z.infer<typeof storedEventSchema>;

/** A stored event as readers get it in history: the stored bytes with `cursor` in front. */
export interface HistoryItem extends StoredEvent {
  cursor: string;
}

const sourceOf = (accountId: string) => `/users/${accountId}`;
/** The CloudEvents `source` of everything an account publishes. */
export const accountSource = sourceOf;

/** What a publisher says of its event beside source and id. */
export interface Content {
  type: string;
  subject: string;
  data?: unknown;
  data_base64?: string | undefined;
  datacontenttype?: string | undefined;
  dataschema?: string | undefined;
  time?: string | undefined;
  extensions?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * What "the same content" means for the idempotency key: the attributes the client supplied, in a fixed order, with
 * sorted keys (a repeat may come from another serializer). No data is the same as null. Its SHA-256 is stored; a repeat
 * with another one is a conflict.
 */
export function contentOf(event: Content): string {
  const { data_base64: bytes, dataschema, extensions } = event;
  const isPlain = bytes === undefined && dataschema === undefined && extensions === undefined;
  return JSON.stringify([
    event.type,
    event.subject,
    isSorted(event.data) ? (event.data ?? null) : sorted(event.data),
    event.datacontenttype ?? null,
    event.time ?? null,
    // Most events have none of these, and the hashes of those that were stored before must stay.
    ...(isPlain ? [] : [{ bytes, dataschema, extensions: sorted(extensions) }]),
  ]);
}

/** Most are, or nearly nothing: then no copy is made on the way of every event. */
function isSorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isSorted);
  let last: string | undefined;
  for (const [key, inner] of Object.entries(value)) {
    if ((last !== undefined && key < last) || !isSorted(inner)) return false;
    last = key;
  }
  return true;
}

/** `Object.fromEntries` defines keys, also `__proto__`; assigning would lose that one. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [key, sorted(inner)]);
  return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** Splices `cursor` in front of stored event JSON without parsing it. */
export function withCursor(cursor: string, storedJson: string): string {
  return `{"cursor":"${cursor}",${storedJson.slice(1)}`;
}
