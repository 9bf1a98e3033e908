import { z } from 'zod';

const ofLines = {
  entries: z.number().int().nonnegative(),
  /** Null when there are no entries. */
  first_seq: z.number().int().nullable(),
  last_seq: z.number().int().nullable(),
  /** Size of the log when the export began: entries from there on are not in it. */
  size: z.number().int(),
  /** Hex, over all bytes before the trailer's line. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
};

/** The last line of `days/{day}.jsonl`. A file without it was cut. */
export const auditDayTrailerSchema = z.strictObject({ trailer: z.strictObject({ day: z.iso.date(), ...ofLines }) });
export type AuditDayTrailer = z.infer<typeof auditDayTrailerSchema>;

/** The last line of `export?format=jsonl`; `filter` as the query gave it. */
export const auditExportTrailerSchema = z.strictObject({
  trailer: z.strictObject({ filter: z.record(z.string(), z.json()), ...ofLines }),
});
export type AuditExportTrailer = z.infer<typeof auditExportTrailerSchema>;
