import type { AddCheckpointRequest } from '@boardwire/contracts';
import { isAuditLogOrigin, NoteError, openCheckpoint, parseVerifier } from '@boardwire/signing';
import { FedError } from '../wire/fed-error.ts';

/** A checkpoint that its log has signed, and how it is said to follow from what was seen before. */
export interface PresentedCheckpoint {
  origin: string;
  /** The log's verifier key. */
  key: string;
  size: number;
  root: Buffer;
  note: string;
  /** The size that the proof begins at. */
  old: number;
  proof: readonly Buffer[];
}

/** @throws FedError `malformed` for what no log of that key has signed, and for a proof of nothing */
export function readPresented({ key, old, proof, checkpoint: note }: AddCheckpointRequest): PresentedCheckpoint {
  const { origin, size, root } = opened(key, note);
  if (size === 0 || old > size) throw malformed('from the old size a log only grows');
  if ((old === 0 || old === size) && proof.length > 0) throw malformed('there is nothing to prove');
  return { origin, key, size, root, note, old, proof: proof.map((hash) => Buffer.from(hash, 'base64')) };
}

function opened(key: string, note: string) {
  try {
    const verifier = parseVerifier(key);
    // Otherwise anybody could sign for a log of that name.
    if (!isAuditLogOrigin(verifier.name, verifier.key.publicKey)) throw malformed('the origin is not that of the key');
    return openCheckpoint(note, verifier);
  } catch (error) {
    if (error instanceof NoteError) throw malformed(error.message);
    throw error;
  }
}

const malformed = (detail: string) => new FedError('malformed', { detail });
