import { NoteError, noteVerifier, openCheckpoint, parseCheckpoint, parseNote } from '@boardwire/signing';
import { logOrigin, type CheckpointKey } from './checkpoint-key.ts';

/** What one of our signatures promises. */
export interface SignedTree {
  epoch: string;
  size: number;
  root: Buffer;
  note: string;
}

/** Reads a checkpoint that this key has signed, of any epoch; undefined for anything else. */
export function openSigned(note: string, key: CheckpointKey): SignedTree | undefined {
  try {
    const { origin } = parseCheckpoint(parseNote(note).text);
    const epoch = origin.slice(origin.lastIndexOf('/') + 1);
    if (origin !== logOrigin(key, epoch)) return undefined;
    const { size, root } = openCheckpoint(note, noteVerifier(origin, key.key));
    return { epoch, size, root, note };
  } catch (error) {
    if (error instanceof NoteError) return undefined;
    throw error;
  }
}
