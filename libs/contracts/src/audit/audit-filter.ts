import { z } from 'zod';
import { filterSchema } from '../board.ts';
import { limits } from '../limits.ts';
import { auditKinds, daySchema, readinessLevels, traceSchema } from './audit-entry.ts';

/** Of one parameter. */
const repeatsMax = 16;

/** A parameter that may be given several times: any of its values fits. */
function anyOf<S extends z.ZodType<string, string>>(item: S) {
  const list = z.array(item).min(1).max(repeatsMax);
  return z
    .union([z.string().transform((value) => [value]), z.array(z.string())])
    .pipe(list)
    .optional();
}

/** Postgres has no U+0000 in text, so nothing in the log can hold it. */
const text = (charsMax: number) =>
  z
    .string()
    .min(1)
    .max(charsMax)
    .refine((value) => !value.includes('\u0000'), 'no U+0000');
const instant = z.iso.datetime({ offset: true });
export const auditWholeSchema = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,14})$/, 'a whole number')
  .transform(Number);
const hash = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, '64 hexadecimal digits')
  .transform((value) => value.toLowerCase());

/** All conditions, as they stand in a query string. Different ones must all hold. */
const filterShape = {
  /** The entry's own `day`, in the zone that it names: no range of instants says the same for entries of several zones. */
  // Postgres has no year 0.
  day: anyOf(daySchema.refine((day) => !day.startsWith('0000'))),
  board: anyOf(text(64)),
  /** A subject filter: `*` is one token, a final `>` one or more. */
  subject: filterSchema.optional(),
  actor: anyOf(text(256)),
  /** The entry's `origin`: a site's id, or the service that decided. */
  site: anyOf(text(128)),
  peer: anyOf(text(256)),
  kind: anyOf(z.enum(auditKinds)),
  action: anyOf(text(128)),
  outcome: anyOf(text(32)),
  type: anyOf(text(128)),
  readiness: anyOf(z.enum(readinessLevels)),
  /** Contained in the symbol, whatever the case. */
  symbol: text(64).optional(),
  forced_hold: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional(),
  trace: anyOf(traceSchema),
  event_id: anyOf(text(128)),
  /** An event's or decision's `datahash`, or an entry's `leaf_hash`. */
  hash: anyOf(hash),
  /** The first instant, RFC 3339. */
  from: instant.optional(),
  /** The first instant that is too late. */
  to: instant.optional(),
  /** Contained in record or detail, whatever the case. */
  q: text(128).optional(),
};

export const auditFilterNames = Object.keys(filterShape) as (keyof typeof filterShape)[];

/** What entries, facets, exports and tails are narrowed by. */
export const auditFilterSchema = strictQuery(filterShape);
export type AuditFilter = z.infer<typeof auditFilterSchema>;

export const auditOrders = ['newest', 'oldest'] as const;
const order = z.enum(auditOrders).default('newest');

/** `GET /v1/audit/entries`. */
export const auditEntriesQuerySchema = strictQuery({
  ...filterShape,
  order,
  /** The `next` of the page before, with the same filter and order. */
  cursor: auditWholeSchema.optional(),
  limit: auditWholeSchema.pipe(z.number().min(1).max(limits.historyPageMax)).default(limits.historyPageDefault),
});
export type AuditEntriesQuery = z.infer<typeof auditEntriesQuerySchema>;

export const auditExportFormats = ['jsonl', 'csv'] as const;
/** `GET /v1/audit/export`. */
export const auditExportQuerySchema = strictQuery({
  ...filterShape,
  format: z.enum(auditExportFormats).default('jsonl'),
  order: z.enum(auditOrders).default('oldest'),
});
export type AuditExportQuery = z.infer<typeof auditExportQuerySchema>;

/** `GET /v1/audit/tail`. */
export const auditTailQuerySchema = strictQuery({
  ...filterShape,
  /** The seq of the last entry that the reader has. */
  after: auditWholeSchema.optional(),
});
export type AuditTailQuery = z.infer<typeof auditTailQuerySchema>;

/** The conditions alone of a query that holds more. */
export function auditFilterOf(query: AuditFilter): AuditFilter {
  const given = auditFilterNames.filter((name) => query[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, query[name]]));
}

/** A misspelt condition must not widen what is answered: it is refused, with the names that there are. */
function strictQuery<S extends z.core.$ZodShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `${issue.keys.join(', ')}: not known here; there are ${Object.keys(shape).join(', ')}`
        : undefined,
  });
}
