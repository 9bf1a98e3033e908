import type { SigningKey, VerifyingKey } from './keys.ts';
import {
  checkedKeyName,
  formatVerifierKey,
  NoteError,
  noteKeyHash,
  parseVerifierKey,
  signatureTypes,
  strictBase64,
  type NamedKey,
} from './verifier-key.ts';

// Signed notes as C2SP (signed-note) and golang.org/x/mod/sumdb/note define them:
//   text, ending in a newline
//   <blank line>
//   — <name> <base64 of key hash (4 bytes) ‖ signature>     one line per signature
// The signature covers the text with its final newline, not the blank line.

const noteBytesMax = 1_000_000;
const signaturesMax = 100;
const signatureLine = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;

export interface NoteSignature {
  name: string;
  keyHash: number;
  signature: Buffer;
}

/** A key with the name it signs notes under. */
export type NoteVerifier = NamedKey;
export interface NoteSigner extends NoteVerifier {
  readonly key: SigningKey;
}

/** What an opened note holds: its text, and the signatures that verified with a known key. */
export interface OpenedNote {
  text: string;
  verified: NoteSignature[];
  unknown: NoteSignature[];
}

/** Throws a NoteError for a name that is empty or holds blanks or a plus. */
export function noteSigner(name: string, key: SigningKey): NoteSigner {
  return { name: checkedKeyName(name), keyHash: noteKeyHash(name, key.publicKey), key };
}

/** Throws a NoteError for a name that is empty or holds blanks or a plus. */
export function noteVerifier(name: string, key: VerifyingKey): NoteVerifier {
  return { name: checkedKeyName(name), keyHash: noteKeyHash(name, key.publicKey), key };
}

/** The verifier as one line of text, a `vkey`: `<name>+<key hash in hex>+<base64 of 0x01 ‖ public key>`. */
export function formatVerifier(verifier: NoteVerifier): string {
  return formatVerifierKey(verifier, signatureTypes.ed25519);
}

/** Reads a `vkey`. Throws a NoteError unless every part fits, the key hash included. */
export function parseVerifier(text: string): NoteVerifier {
  return parseVerifierKey(text, signatureTypes.ed25519);
}

/** Signs a text. The text must end in a newline and hold no control character but newlines. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!isNoteText(text)) throw new NoteError('a note’s text ends in a newline and has no other control characters');
  const lines = signers.map((signer) => signatureLineOf(signer, signer.key.sign(Buffer.from(text, 'utf8'))));
  return `${text}\n${lines.join('')}`;
}

/** One signature line with its newline; appended to a note it adds the signature. */
export function signatureLineOf({ name, keyHash }: NamedKey, signature: Uint8Array): string {
  const blob = Buffer.alloc(4 + signature.length);
  blob.writeUInt32BE(keyHash, 0);
  blob.set(signature, 4);
  return `\u2014 ${name} ${blob.toString('base64')}\n`;
}

/**
 * Opens a note: every signature by a known key must verify, and at least one must be there, else a NoteError is thrown.
 * Signatures by other keys are listed as unknown and mean nothing.
 */
export function openNote(note: string | Uint8Array, verifiers: readonly NoteVerifier[]): OpenedNote {
  const { text, signatures } = parseNote(note);
  const opened: OpenedNote = { text, verified: [], unknown: [] };
  const seen = new Set<string>();
  const message = Buffer.from(text, 'utf8');
  for (const entry of signatures) {
    const verifier = verifiers.find(({ name, keyHash }) => name === entry.name && keyHash === entry.keyHash);
    if (verifier === undefined) {
      opened.unknown.push(entry);
      continue;
    }
    // A repeat by a known key is dropped before it is checked, as the reference does: it could only add work.
    const key = `${entry.name}+${entry.keyHash}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (!verifier.key.verify(message, entry.signature)) throw new NoteError(`the signature of ${entry.name} is wrong`);
    opened.verified.push(entry);
  }
  if (opened.verified.length === 0) throw new NoteError('no signature by a known key');
  return opened;
}

/** Takes a note apart without checking any signature. Throws a NoteError when it is malformed. */
export function parseNote(note: string | Uint8Array): { text: string; signatures: NoteSignature[] } {
  const whole = decodeUtf8(note);
  const split = whole.lastIndexOf('\n\n');
  const text = whole.slice(0, split + 1);
  const tail = whole.slice(split + 2);
  if (split < 0 || !isNoteText(text) || !tail.endsWith('\n')) throw new NoteError('not a signed note');
  const lines = tail.slice(0, -1).split('\n');
  if (lines.length > signaturesMax) throw new NoteError(`more than ${signaturesMax} signatures`);
  return { text, signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const match = signatureLine.exec(line);
  const blob = match === null ? undefined : strictBase64(match[2]!);
  if (match === null || blob === undefined || blob.length < 5) throw new NoteError('not a signature line');
  return { name: match[1]!, keyHash: blob.readUInt32BE(0), signature: blob.subarray(4) };
}

function decodeUtf8(note: string | Uint8Array): string {
  const bytes = typeof note === 'string' ? Buffer.from(note, 'utf8') : note;
  if (bytes.length > noteBytesMax) throw new NoteError(`larger than ${noteBytesMax} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new NoteError('not valid UTF-8', { cause });
  }
}

function isNoteText(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return text.endsWith('\n') && text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}
