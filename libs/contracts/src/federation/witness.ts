import { z } from 'zod';
import { federationLimits } from './federation-limits.ts';

/** A SHA-256 hash as checkpoints and proofs of C2SP write it. */
const hashSchema = z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'a hash in base64');

/**
 * `POST /fed/v1/witness/add-checkpoint`: what C2SP tlog-witness sends, as JSON. The witness believes nothing but what is in
 * it: the key names the log (its origin is made of the key's hash), the checkpoint is signed by it, and the proof leads to
 * it from the tree that the witness has seen last.
 */
export const addCheckpointRequestSchema = z.strictObject({
  /** The log's verifier key: `<origin>+<key hash>+<base64>`. */
  key: z.string().max(512),
  /** The size that the witness is believed to have seen last; 0 for none. */
  old: z.number().int().nonnegative(),
  /** RFC 6962 consistency proof from `old` to the checkpoint's size; empty for 0 and for the same size. */
  proof: z.array(hashSchema).max(64),
  /** The signed note. */
  checkpoint: z.string().max(federationLimits.checkpointBytesMax),
});
export type AddCheckpointRequest = z.infer<typeof addCheckpointRequestSchema>;

export const addCheckpointAnswerSchema = z.strictObject({
  /** A line of C2SP tlog-cosignature v1 with its newline; null when `old` isn't what the witness has seen last. */
  cosignature: z.string().max(1_024).nullable(),
  /** What the witness has seen now: a proof has to begin there. */
  size: z.number().int().nonnegative(),
});
export type AddCheckpointAnswer = z.infer<typeof addCheckpointAnswerSchema>;

/** The name that a site cosigns under, with its key of use `checkpoint`. */
export const witnessNameOf = (site: string) => `boardwire/witness/${site}`;

// ---- between federation and audit ---------------------------------------------------------------------------------

/** `GET /internal/v1/witnesses/checkpoint` of audit: what is to be brought to witnesses. */
export const newestCheckpointSchema = z.object({
  epoch: z.string(),
  size: z.number().int().positive(),
  /** The log's verifier key; its name is the origin. */
  key: z.string(),
  checkpoint: z.string(),
});
export type NewestCheckpoint = z.infer<typeof newestCheckpointSchema>;

/** `POST /internal/v1/witnesses/cosignatures` of audit: what a witness has answered. */
export const newCosignatureSchema = z.strictObject({
  epoch: z.string().max(64),
  size: z.number().int().positive(),
  /** The verifier key that the witness' site document gives it. */
  witness: z.string().max(512),
  cosignature: z.string().max(1_024),
});
export type NewCosignature = z.infer<typeof newCosignatureSchema>;
