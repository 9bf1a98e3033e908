import { bytesOfHex, isEqual } from './bytes.ts';
import { isConsistent } from './merkle.ts';
import { parseCheckpoint, verdictOnSignature, type Checkpoint } from './signed-note.ts';
import { keyOf } from './verify-entry.ts';

/** What this browser remembers of the log: the last checkpoint that it found in order, and the key it was signed with. */
export interface SeenLog {
  note: string;
  keyLine: string;
  /** When it was seen, RFC 3339. */
  at: string;
}

export type GrowthState =
  | 'first'
  | 'same'
  | 'grown'
  | 'new_epoch'
  | 'rolled_back'
  | 'forked'
  | 'other_key'
  | 'badly_signed'
  | 'unsupported';

export interface Judgement {
  state: GrowthState;
  finding: string;
  size: number;
  seenSize: number | undefined;
  /** What to remember from now on; undefined where the former must not be forgotten. */
  remember: SeenLog | undefined;
}

/** States in which the log broke its promise, or may have. */
export const isAlarm = (state: GrowthState) => ['rolled_back', 'forked', 'other_key', 'badly_signed'].includes(state);

export interface NewestLog {
  note: string;
  keyLines: readonly string[];
  at: string;
  /** Last checkpoints of the log's former epochs. */
  former: readonly string[];
  /** The proof from one size to another of an epoch, in hexadecimal. */
  proofBetween: (claim: { from: number; to: number; epoch: string }) => Promise<readonly string[]>;
}

/** Whether the newest checkpoint keeps what the one seen before promised: a log may only grow at its end. */
export async function judgeGrowth(seen: SeenLog | undefined, newest: NewestLog): Promise<Judgement> {
  const now = parseCheckpoint(newest.note);
  const key = now === undefined ? undefined : await keyOf(now, newest.keyLines);
  const before = seen === undefined ? undefined : parseCheckpoint(seen.note);
  const sizes = { size: now?.size ?? 0, seenSize: before?.size };
  const keep = (state: GrowthState, finding: string): Judgement => ({ state, finding, ...sizes, remember: undefined });
  if (now === undefined || key === undefined)
    return keep('badly_signed', 'The newest checkpoint names no key of this log.');
  const verdict = await verdictOnSignature(now, key);
  if (verdict === 'unsupported')
    return keep('unsupported', 'This browser has no Ed25519: checkpoints are not checked.');
  if (verdict !== 'valid') return keep('badly_signed', 'The newest checkpoint is not signed by the log’s key.');
  const remember = { note: newest.note, keyLine: key.line, at: newest.at };
  if (seen === undefined || before === undefined) {
    return { state: 'first', finding: 'This browser sees the log for the first time.', ...sizes, remember };
  }
  if (before.origin !== now.origin) return otherOrigin({ before, now, newest, keep });
  if (seen.keyLine !== key.line) return keep('other_key', 'The same log is signed with another key than before.');
  return sameLog({ before, now, newest, keep, remember });
}

type Keep = (state: GrowthState, finding: string) => Judgement;

/** The epoch is the last part of an origin: a log that was restored signs under a new one. */
const epochOf = ({ origin }: Checkpoint) => origin.slice(origin.lastIndexOf('/') + 1);
const logOf = ({ origin }: Checkpoint) => origin.slice(0, origin.lastIndexOf('/'));

async function otherOrigin(given: {
  before: Checkpoint;
  now: Checkpoint;
  newest: NewestLog;
  keep: Keep;
}): Promise<Judgement> {
  const { before, now, newest, keep } = given;
  if (logOf(before) !== logOf(now)) {
    return keep('other_key', `This is another log: “${now.origin}”, not “${before.origin}”.`);
  }
  const began = `The log was restored and began the epoch ${epochOf(now)}. `;
  const last = newest.former.map(parseCheckpoint).find((checkpoint) => checkpoint?.origin === before.origin);
  const key = last === undefined ? undefined : await keyOf(last, newest.keyLines);
  if (last === undefined || key === undefined || (await verdictOnSignature(last, key)) !== 'valid') {
    return keep('forked', `${began}How the epoch ${epochOf(before)} ended is not told, or not signed.`);
  }
  if (last.size < before.size) {
    const lost = before.size - last.size;
    return keep(
      'new_epoch',
      `${began}Of the former epoch, ${lost} entries are lost that this browser has seen signed.`,
    );
  }
  return (await isGrown({ before, now: last, newest }))
    ? keep('new_epoch', `${began}All that was seen before stands in the former epoch as it was.`)
    : keep('forked', `${began}The former epoch is not what it was when last seen.`);
}

async function sameLog(given: {
  before: Checkpoint;
  now: Checkpoint;
  newest: NewestLog;
  keep: Keep;
  remember: SeenLog;
}): Promise<Judgement> {
  const { before, now, newest, keep, remember } = given;
  const sizes = { size: now.size, seenSize: before.size };
  if (now.size < before.size) {
    return keep('rolled_back', `The log has ${now.size} entries; it had ${before.size} when last seen.`);
  }
  if (now.size === before.size) {
    return isEqual(now.root, before.root)
      ? { state: 'same', finding: 'Nothing was added since last seen.', ...sizes, remember }
      : keep('forked', `Two different roots are signed for ${now.size} entries.`);
  }
  return (await isGrown({ before, now, newest }))
    ? { state: 'grown', finding: `The first ${before.size} entries are those seen before.`, ...sizes, remember }
    : keep('forked', `The log of ${now.size} entries does not begin with the ${before.size} that were seen before.`);
}

/** Whether the later of two checkpoints of one epoch begins with the earlier. */
async function isGrown(given: { before: Checkpoint; now: Checkpoint; newest: NewestLog }): Promise<boolean> {
  const { before, now, newest } = given;
  // Of nothing, everything is a continuation.
  if (before.size === 0) return true;
  const claim = { from: before.size, to: now.size };
  const proof = before.size === now.size ? [] : await newest.proofBetween({ ...claim, epoch: epochOf(now) });
  const hashes = proof.map((hex) => bytesOfHex(hex) ?? new Uint8Array());
  return isConsistent({ ...claim, fromRoot: before.root, toRoot: now.root, proof: hashes });
}
