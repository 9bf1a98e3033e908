import { z } from 'zod';
import { jsonValueSchema } from './event.ts';

/** `YYYY-MM-DD`, a day that exists. */
export const daySchema = z.iso.date();

/** One entry of the audit log as its routes answer it. Field names follow ECS where one fits. */
export const auditEntrySchema = z.object({
  /** The place of its leaf in the log, from 0. */
  seq: z.number().int(),
  day: z.string(),
  time_zone: z.string(),
  kind: z.enum(['event', 'decision']),
  /** When the event was committed or the decision taken. `day` is this instant's in `time_zone`. */
  time: z.string(),
  /** The event's own time, as its publisher gave it. */
  event_time: z.string().nullable(),
  action: z.string(),
  outcome: z.string(),
  actor: z.string(),
  origin: z.string(),
  board: z.string().nullable(),
  board_epoch: z.string().nullable(),
  board_seq: z.number().int().nullable(),
  subject: z.string().nullable(),
  type: z.string().nullable(),
  event_id: z.string().nullable(),
  datahash: z.string().nullable(),
  /** Hex SHA-256 of 0x00 ‖ record (RFC 6962). */
  leaf_hash: z.string(),
  /** The exact bytes that were hashed, as text (canonical JSON). */
  record: z.string(),
  /** What may have to be forgotten; null when it has been. */
  detail: jsonValueSchema.nullable(),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

export const auditPageSchema = z.object({
  entries: z.array(auditEntrySchema),
  next: z.string().nullable(),
  size: z.number().int(),
});
export type AuditPage = z.infer<typeof auditPageSchema>;

export const auditDaySchema = z.object({ day: z.string(), entries: z.number().int() });
export const auditDaysSchema = z.object({ days: z.array(auditDaySchema) });

export const auditHealthSchema = z.object({
  size: z.number().int(),
  checkpoint: z.object({ size: z.number().int(), ageMs: z.number(), root: z.string() }).nullable(),
  boards: z.array(
    z.object({
      board: z.string(),
      epoch: z.string(),
      head: z.number().int(),
      audited: z.number().int(),
      gaps: z.number().int(),
    }),
  ),
  gaps: z.number().int(),
});
export type AuditHealth = z.infer<typeof auditHealthSchema>;

/** `entries/{seq}/proof`: the RFC 6962 audit path from the entry's leaf to the root of the checkpoint, hex. */
export const auditProofSchema = z.object({
  seq: z.number().int(),
  size: z.number().int(),
  proof: z.array(z.string()),
  /** Signed note (C2SP tlog-checkpoint) of the tree of `size` entries. */
  checkpoint: z.string(),
});
export type AuditProof = z.infer<typeof auditProofSchema>;

/** `proof/consistency?from=&to=`: that the log of `from` entries is the beginning of that of `to`, hex. */
export const auditConsistencySchema = z.object({
  from: z.number().int(),
  to: z.number().int(),
  proof: z.array(z.string()),
});
export type AuditConsistency = z.infer<typeof auditConsistencySchema>;
