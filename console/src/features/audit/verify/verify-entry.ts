import type { AuditEntry, AuditProof } from '@boardwire/contracts';
import { base64Of, bytesOfHex, hexOf, isEqual, utf8, type Bytes } from './bytes.ts';
import { foldInclusion, leafHash, type FoldStep } from './merkle.ts';
import { parseCheckpoint, parseLogKey, verdictOnSignature, type Checkpoint, type LogKey } from './signed-note.ts';

/** `unknown`: it could not be checked here, which proves nothing either way. */
export type Verdict = 'right' | 'wrong' | 'unknown';

/** One thing that was checked: what, with which values, and how it came out. */
export interface Step {
  title: string;
  verdict: Verdict;
  /** What the outcome means, in a sentence. */
  finding: string;
  values: { name: string; value: string }[];
  fold?: FoldStep[];
}

/**
 * Checks that an entry is in the log, step by step, with nothing but what is given: the entry, its proof, and the key.
 * Steps that hang on a failed one are still shown, each with its own outcome.
 */
export async function verifyEntry(given: {
  entry: AuditEntry;
  proof: AuditProof;
  keyLines: readonly string[];
}): Promise<Step[]> {
  const { entry, proof, keyLines } = given;
  const record = utf8(entry.record);
  const leaf = await leafHash(record);
  const checkpoint = parseCheckpoint(proof.checkpoint);
  return [
    fieldsStep(entry),
    leafStep(entry, record, leaf),
    await pathStep({ proof, leaf, checkpoint }),
    await signatureStep(checkpoint, keyLines),
  ];
}

/** Which field of the record each field of an entry repeats. */
const repeated = {
  actor: 'actor',
  time: 'at',
  day: 'day',
  time_zone: 'zone',
  kind: 'kind',
  origin: 'origin',
  board: 'board',
  board_epoch: 'epoch',
  board_seq: 'seq',
  subject: 'subject',
  event_id: 'id',
  datahash: 'datahash',
} as const satisfies Partial<Record<keyof AuditEntry, string>>;

function fieldsStep(entry: AuditEntry): Step {
  const record = parsedRecord(entry.record);
  const names = Object.keys(repeated) as (keyof typeof repeated)[];
  const differing = names.filter((name) => (record?.[repeated[name]] ?? null) !== entry[name]);
  const verdict = record !== undefined && differing.length === 0 ? 'right' : 'wrong';
  return {
    title: 'The fields shown are those of the record',
    verdict,
    finding:
      record === undefined
        ? 'The record can’t be read.'
        : verdict === 'right'
          ? `${names.length} fields agree with the record.`
          : `Shown otherwise than recorded: ${differing.join(', ')}.`,
    values: differing.map((name) => ({
      name,
      value: `${JSON.stringify(entry[name])} ≠ ${JSON.stringify(record?.[repeated[name]] ?? null)}`,
    })),
  };
}

function leafStep(entry: AuditEntry, record: Bytes, leaf: Bytes): Step {
  const verdict = hexOf(leaf) === entry.leaf_hash ? 'right' : 'wrong';
  return {
    title: 'Leaf hash: SHA-256(0x00 ‖ record)',
    verdict,
    finding:
      verdict === 'right'
        ? 'The bytes of the record hash to the leaf that the log names.'
        : 'The bytes of the record hash to something else than the log names.',
    values: [
      { name: 'record', value: `${record.length} bytes` },
      { name: 'computed', value: hexOf(leaf) },
      { name: 'named', value: entry.leaf_hash },
    ],
  };
}

async function pathStep(given: { proof: AuditProof; leaf: Bytes; checkpoint: Checkpoint | undefined }): Promise<Step> {
  const { proof, leaf, checkpoint } = given;
  const title = 'Audit path: folded up to the root of the checkpoint (RFC 6962)';
  if (checkpoint === undefined) return { title, verdict: 'wrong', finding: 'That is not a checkpoint.', values: [] };
  const hashes = proof.proof.map((hex) => bytesOfHex(hex) ?? new Uint8Array());
  const { steps, root } = await foldInclusion({ index: proof.index, size: checkpoint.size, leaf, proof: hashes });
  const verdict = root !== undefined && isEqual(root, checkpoint.root) ? 'right' : 'wrong';
  return {
    title,
    verdict,
    finding: findingOfPath(verdict, root, proof.index),
    values: [
      { name: 'leaf', value: `${proof.index} of ${checkpoint.size}, counted from 0` },
      { name: 'path', value: `${hashes.length} hashes` },
      { name: 'computed root', value: root === undefined ? 'none' : hexOf(root) },
      { name: 'checkpoint’s root', value: hexOf(checkpoint.root) },
    ],
    fold: steps,
  };
}

function findingOfPath(verdict: Verdict, root: Bytes | undefined, index: number): string {
  if (root === undefined) return 'The path does not fit this place in a tree of this size.';
  return verdict === 'right'
    ? `The path leads to the very root that was signed: the record is leaf ${index} of the log.`
    : 'The path leads to another root: this record is not what the log holds here.';
}

async function signatureStep(checkpoint: Checkpoint | undefined, keyLines: readonly string[]): Promise<Step> {
  const title = 'Signature of the checkpoint (Ed25519)';
  if (checkpoint === undefined) return { title, verdict: 'wrong', finding: 'That is not a checkpoint.', values: [] };
  const key = await keyOf(checkpoint, keyLines);
  const values = [
    { name: 'log', value: checkpoint.origin },
    { name: 'size', value: String(checkpoint.size) },
  ];
  if (key === undefined) {
    return { title, verdict: 'wrong', finding: 'The site names no key for this log.', values };
  }
  const verdict = await verdictOnSignature(checkpoint, key);
  const own = checkpoint.signatures.find(({ keyHash }) => keyHash === key.keyHash);
  return {
    title,
    verdict: verdict === 'valid' ? 'right' : verdict === 'unsupported' ? 'unknown' : 'wrong',
    finding: findings[verdict],
    values: [
      ...values,
      { name: 'public key', value: base64Of(key.publicKey) },
      { name: 'signature', value: own === undefined ? 'none' : base64Of(own.signature) },
    ],
  };
}

const findings = {
  valid: 'Signed by the log’s own key.',
  wrong: 'The signature is not by the log’s key.',
  missing: 'The log’s own signature is missing.',
  unsupported: 'This browser has no Ed25519, so the signature can’t be checked here.',
} as const;

/** The key of the log, or epoch of it, that the checkpoint says it is of. */
export async function keyOf({ origin }: Checkpoint, keyLines: readonly string[]): Promise<LogKey | undefined> {
  const keys = await Promise.all(keyLines.map(parseLogKey));
  return keys.find((key) => key?.name === origin);
}

function parsedRecord(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
