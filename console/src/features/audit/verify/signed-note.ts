import { bytesOfBase64, hexOf, isEqual, utf8, type Bytes } from './bytes.ts';
import { hashBytes, sha256 } from './merkle.ts';

// Signed notes and checkpoints as C2SP (signed-note, tlog-checkpoint) defines them.

const ed25519Algorithm = 0x01;
const signatureLine = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;
const keyLine = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u;

export interface NoteSignature {
  name: string;
  /** Eight hexadecimal digits. */
  keyHash: string;
  signature: Bytes;
}

export interface Checkpoint {
  origin: string;
  size: number;
  root: Bytes;
  /** What is signed: the note up to the blank line. */
  text: string;
  signatures: NoteSignature[];
}

export interface LogKey {
  name: string;
  keyHash: string;
  publicKey: Bytes;
  line: string;
}

/** Takes a checkpoint apart without checking any signature; undefined when it isn't one. */
export function parseCheckpoint(note: string): Checkpoint | undefined {
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n')) return undefined;
  const text = note.slice(0, split + 1);
  const signatures = note
    .slice(split + 2, -1)
    .split('\n')
    .map(parseSignature);
  const [origin, size, encodedRoot, ...rest] = text.split('\n');
  const root = bytesOfBase64(encodedRoot ?? '');
  const isWhole =
    origin !== undefined &&
    origin !== '' &&
    /^(?:0|[1-9][0-9]{0,15})$/.test(size ?? '') &&
    Number.isSafeInteger(Number(size)) &&
    rest.at(-1) === '' &&
    !rest.slice(0, -1).includes('');
  if (!isWhole || root?.length !== hashBytes || signatures.includes(undefined)) return undefined;
  return { origin, size: Number(size), root, text, signatures: signatures as NoteSignature[] };
}

function parseSignature(line: string): NoteSignature | undefined {
  const [, name, encoded] = signatureLine.exec(line) ?? [];
  const blob = bytesOfBase64(encoded ?? '');
  if (name === undefined || blob === undefined || blob.length < 5) return undefined;
  return { name, keyHash: hexOf(blob.subarray(0, 4)), signature: blob.slice(4) };
}

/** Reads a verifier key line; undefined unless every part fits, the key's hash included. */
export async function parseLogKey(line: string): Promise<LogKey | undefined> {
  const [, name, keyHash, encoded] = keyLine.exec(line) ?? [];
  const blob = bytesOfBase64(encoded ?? '');
  if (name === undefined || keyHash === undefined || blob?.length !== 33 || blob[0] !== ed25519Algorithm) {
    return undefined;
  }
  const hash = await sha256(utf8(`${name}\n`), blob);
  return isEqual(hash.subarray(0, 4), bytesOfKeyHash(keyHash))
    ? { name, keyHash, publicKey: blob.slice(1), line }
    : undefined;
}

const bytesOfKeyHash = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

export type SignatureVerdict = 'valid' | 'wrong' | 'missing' | 'unsupported';

/** The signature over the checkpoint by the log's own key, whose name is the origin. Witnesses' signatures say nothing here. */
export async function verdictOnSignature(checkpoint: Checkpoint, key: LogKey): Promise<SignatureVerdict> {
  const own = checkpoint.signatures.find(({ name, keyHash }) => name === key.name && keyHash === key.keyHash);
  if (own === undefined || key.name !== checkpoint.origin) return 'missing';
  try {
    const imported = await crypto.subtle.importKey('raw', key.publicKey, 'Ed25519', false, ['verify']);
    const isValid = await crypto.subtle.verify('Ed25519', imported, own.signature, utf8(checkpoint.text));
    return isValid ? 'valid' : 'wrong';
  } catch (error) {
    // A browser without Ed25519 can't tell, which is neither right nor wrong.
    if (error instanceof DOMException && error.name === 'NotSupportedError') return 'unsupported';
    return 'wrong';
  }
}
