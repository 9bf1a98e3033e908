import type { SigningKey, VerifyingKey } from './keys.ts';
import { parseNote, signatureLineOf } from './signed-note.ts';
import {
  checkedKeyName,
  formatVerifierKey,
  NoteError,
  noteKeyHash,
  parseVerifierKey,
  signatureTypes,
  type NamedKey,
} from './verifier-key.ts';

// Cosignatures as C2SP tlog-cosignature defines them, version 1 (Ed25519, signature type 0x04):
//   signature = timestamp (8 bytes, seconds since the epoch, big-endian) ‖ Ed25519 over
//   "cosignature/v1\ntime <timestamp>\n" ‖ the whole text of the checkpoint

const timestampBytes = 8;
const cosignatureBytes = timestampBytes + 64;

/** A witness: who checks that a log only grows, and says what it has seen. Its key hash is made with type 0x04. */
export type CosignatureVerifier = NamedKey;
export interface Cosigner extends CosignatureVerifier {
  readonly key: SigningKey;
}

/** That a witness had seen this checkpoint, and none larger of its log, at a moment. */
export interface Cosignature {
  name: string;
  keyHash: number;
  /** Seconds since the Unix epoch. */
  atSeconds: number;
}

/** Throws a NoteError for a name that is empty or holds blanks or a plus. */
export function cosignatureVerifier(name: string, key: VerifyingKey): CosignatureVerifier {
  return { name: checkedKeyName(name), keyHash: noteKeyHash(name, key.publicKey, signatureTypes.cosignature), key };
}

/** Throws a NoteError for a name that is empty or holds blanks or a plus. */
export function cosigner(name: string, key: SigningKey): Cosigner {
  return { ...cosignatureVerifier(name, key), key };
}

/** The witness's key as a `vkey` of type 0x04. */
export function formatCosignatureVerifier(verifier: CosignatureVerifier): string {
  return formatVerifierKey(verifier, signatureTypes.cosignature);
}

/** Reads a `vkey` of type 0x04. Throws a NoteError for any other: a log's key is no witness. */
export function parseCosignatureVerifier(text: string): CosignatureVerifier {
  return parseVerifierKey(text, signatureTypes.cosignature);
}

/** The line by which a witness joins a signed checkpoint; append it to the note. Throws a NoteError for a bad time. */
export function cosignatureLine(note: string, witness: Cosigner, atSeconds: number): string {
  if (!Number.isSafeInteger(atSeconds) || atSeconds < 0) throw new NoteError('not a time in seconds');
  const signature = Buffer.alloc(cosignatureBytes);
  signature.writeBigUInt64BE(BigInt(atSeconds));
  signature.set(witness.key.sign(cosignedMessage(parseNote(note).text, atSeconds)), timestampBytes);
  return signatureLineOf(witness, signature);
}

/**
 * The cosignatures of a checkpoint by witnesses that are known, each once. A wrong one by a known witness throws a
 * NoteError; signatures of others are passed over. It doesn't check the log's own signature: open the checkpoint first.
 */
export function openCosignatures(note: string | Uint8Array, witnesses: readonly CosignatureVerifier[]): Cosignature[] {
  const { text, signatures } = parseNote(note);
  const found = new Map<CosignatureVerifier, Cosignature>();
  for (const { name, keyHash, signature } of signatures) {
    const witness = witnesses.find((known) => known.name === name && known.keyHash === keyHash);
    if (witness === undefined || found.has(witness)) continue;
    const atSeconds = timeOfVerified(text, signature, witness);
    if (atSeconds === undefined) throw new NoteError(`the cosignature of ${name} is wrong`);
    found.set(witness, { name, keyHash, atSeconds });
  }
  return [...found.values()];
}

function timeOfVerified(text: string, signature: Buffer, { key }: CosignatureVerifier): number | undefined {
  if (signature.length !== cosignatureBytes) return undefined;
  const atSeconds = Number(signature.readBigUInt64BE());
  if (!Number.isSafeInteger(atSeconds)) return undefined;
  return key.verify(cosignedMessage(text, atSeconds), signature.subarray(timestampBytes)) ? atSeconds : undefined;
}

function cosignedMessage(text: string, atSeconds: number): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${atSeconds}\n${text}`, 'utf8');
}
