import { hashBytes } from './merkle-hash.ts';
import { openNote, signNote, type NoteSigner, type NoteVerifier } from './signed-note.ts';
import { NoteError } from './verifier-key.ts';

/** What a log promises at one moment: this many leaves have this root. */
export interface Checkpoint {
  /** The log's unique name. */
  origin: string;
  size: number;
  /** SHA-256 root of the Merkle tree (RFC 6962). */
  root: Buffer;
}

/** The body of a checkpoint (C2SP tlog-checkpoint): origin, size and base64 root, a line each. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (origin === '' || /[\n\r]/.test(origin)) throw new NoteError('not an origin');
  if (!Number.isSafeInteger(size) || size < 0) throw new NoteError('not a tree size');
  if (root.length !== hashBytes) throw new NoteError('not a root hash');
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/** Reads the body of a checkpoint; extension lines are allowed and ignored. Throws a NoteError when it is malformed. */
export function parseCheckpoint(body: string): Checkpoint {
  const [origin, size, root, ...rest] = body.split('\n');
  const decoded = Buffer.from(root ?? '', 'base64');
  const fits =
    origin !== undefined &&
    origin !== '' &&
    size !== undefined &&
    /^(?:0|[1-9][0-9]{0,15})$/.test(size) &&
    Number.isSafeInteger(Number(size)) &&
    decoded.length === hashBytes &&
    decoded.toString('base64') === root &&
    rest.at(-1) === '' &&
    !rest.slice(0, -1).includes('');
  if (!fits) throw new NoteError('not a checkpoint');
  return { origin, size: Number(size), root: decoded };
}

/** The checkpoint as a signed note. The log's own key has the origin as its name. */
export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): string {
  return signNote(formatCheckpoint(checkpoint), signers);
}

/** Opens a signed checkpoint with the log's own key; throws a NoteError unless it is that log's. */
export function openCheckpoint(note: string | Uint8Array, verifier: NoteVerifier): Checkpoint {
  const checkpoint = parseCheckpoint(openNote(note, [verifier]).text);
  if (checkpoint.origin !== verifier.name) throw new NoteError('the origin is not the key’s name');
  return checkpoint;
}
