import { z } from 'zod';
import { auditEntrySchema } from './audit-entry.ts';

export const auditPageSchema = z.object({
  entries: z.array(auditEntrySchema),
  next: z.string().nullable(),
  size: z.number().int(),
});
export type AuditPage = z.infer<typeof auditPageSchema>;

/** A value and how many of the counted entries have it. */
export const auditFacetSchema = z.object({ value: z.string(), count: z.number().int() });
export const auditFacetNames = ['kind', 'action', 'outcome', 'board', 'actor', 'site', 'type', 'readiness'] as const;
export type AuditFacetName = (typeof auditFacetNames)[number];

/** `facets?<filters>`: what the matching entries have in common, the most frequent values first. */
export const auditFacetsSchema = z.object({
  facets: z.record(z.enum(auditFacetNames), z.array(auditFacetSchema)),
  /** How many entries were counted: the newest that match. */
  counted: z.number().int(),
  /** False when more match than are counted. */
  is_complete: z.boolean(),
});
export type AuditFacets = z.infer<typeof auditFacetsSchema>;

export const auditDaySchema = z.object({ day: z.string(), entries: z.number().int() });
export const auditDaysSchema = z.object({ days: z.array(auditDaySchema) });

/** A run of numbers that should be in the log and are not: of a board's events, or of a service's decisions. */
export const auditGapSchema = z.object({
  kind: z.enum(['board', 'decisions']),
  name: z.string(),
  epoch: z.string(),
  first: z.number().int(),
  last: z.number().int(),
  found_at: z.string(),
});
export type AuditGap = z.infer<typeof auditGapSchema>;

/** Something of the stored log that does not fit the rest. `at`: the seq of an entry, else a size of the tree. */
export const auditFindingSchema = z.object({
  what: z.enum(['record', 'leaf', 'tile', 'checkpoint', 'tree']),
  epoch: z.string(),
  at: z.number().int(),
  detail: z.string(),
});

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
  /** Entry `first_seq` is leaf 0 of this epoch's tree; `size` counts its leaves. */
  first_seq: z.number().int(),
  /** The log's own epoch: a restored backup begins a new one. */
  epoch: z.string(),
  /** How far the log had come in its former epochs, as far as is known; newest first. */
  former: z.array(z.object({ epoch: z.string(), size: z.number().int(), root: z.string(), note: z.string() })),
  /** The gaps themselves, the newest 100. */
  gap_list: z.array(auditGapSchema),
  /** Other sites that have cosigned checkpoints of this log, who was heard last first. */
  witnesses: z.array(
    z.object({
      name: z.string(),
      /** The verifier key that its site document gives it. Whom it is to convince gets it another way. */
      key: z.string(),
      epoch: z.string(),
      /** The largest size that it has cosigned. */
      size: z.number().int(),
      /** When, by the clock of the witness; and for how long that has been, by the clock here. */
      at: z.string(),
      ageMs: z.number(),
    }),
  ),
  /** While it holds, nothing is forgotten. */
  legal_hold: z.boolean(),
  /** Days that records are kept behind their own day; null: for ever. Leaves and proofs stay. */
  retention_days: z.number().int().nullable(),
  /** The same of details. */
  detail_days: z.number().int().nullable(),
  /** The service compares the whole log with itself again and again: complete passes, and what the last one found. */
  scrub: z.object({ rounds: z.number().int(), findings: z.array(auditFindingSchema) }),
});
export type AuditHealth = z.infer<typeof auditHealthSchema>;

/** `entries/{seq}/proof`: the RFC 6962 audit path from the entry's leaf to the root of the checkpoint, hex. */
export const auditProofSchema = z.object({
  seq: z.number().int(),
  /** The place of the entry's leaf in the tree of its epoch; `seq` itself as long as no epoch has ended. */
  index: z.number().int(),
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

/** `entries/{seq}/disclosure`: what opens an entry's `datahash`, which is SHA-256(salt ‖ data). */
export const auditDisclosureSchema = z.object({
  seq: z.number().int(),
  /** Hex. */
  salt: z.string(),
  /** Base64. */
  data: z.string(),
});
export type AuditDisclosure = z.infer<typeof auditDisclosureSchema>;

/** `checkpoints?limit=`: signed checkpoints that were stored, newest first. */
export const auditCheckpointsSchema = z.object({
  checkpoints: z.array(z.object({ size: z.number().int(), root: z.string(), at: z.string(), note: z.string() })),
});
export type AuditCheckpoints = z.infer<typeof auditCheckpointsSchema>;
