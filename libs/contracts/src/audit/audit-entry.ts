import { z } from 'zod';
import { jsonValueSchema } from '../event.ts';

/** `YYYY-MM-DD`, a day that exists. */
export const daySchema = z.iso.date();

export const auditKinds = ['event', 'decision'] as const;
export type AuditKind = (typeof auditKinds)[number];

export const readinessLevels = ['OK', 'WARN', 'ERROR'] as const;
export type ReadinessLevel = (typeof readinessLevels)[number];

/**
 * What became of what may have to be forgotten: it is there, there never was any, it was removed on purpose, or its
 * time was up.
 */
export const detailStates = ['held', 'none', 'redacted', 'expired'] as const;
export type DetailState = (typeof detailStates)[number];

/** W3C trace id. */
export const traceSchema = z.string().regex(/^[0-9a-f]{32}$/, '32 hexadecimal digits in lower case');

/** One entry of the audit log as its routes answer it. Field names follow ECS where one fits. */
export const auditEntrySchema = z.object({
  /** Its number, over all epochs of the log, from 0; a proof tells the place of its leaf (`index`). */
  seq: z.number().int(),
  day: z.string(),
  time_zone: z.string(),
  kind: z.enum(auditKinds),
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
  // These five are taken from a decision's detail and go with it.
  trace: z.string().nullable(),
  peer: z.string().nullable(),
  readiness: z.enum(readinessLevels).nullable(),
  symbol: z.string().nullable(),
  forced_hold: z.boolean().nullable(),
  detail_state: z.enum(detailStates),
  /** What may have to be forgotten; null unless it is held. */
  detail: jsonValueSchema.nullable(),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;
