import { openSigned, type SignedCheckpoint } from '../reading/checkpoint-file.ts';
import { entryOf } from '../reading/log-entry.ts';
import { isEpochRecord } from '../reading/log-record.ts';
import { readObject } from '../reading/read-file.ts';
import type { Trust } from '../reading/trust.ts';
import type { Report } from '../report.ts';
import { CannotTell, Refuted } from '../verdict.ts';
import { proveByPath } from './inclusion.ts';

export interface EpochEvidence {
  /** The new epoch's first entry and the proof of it. */
  entry: string | undefined;
  proof: string | undefined;
}

/**
 * The checkpoint that a new epoch of the log names as the newest of the former one. It stands in the record of leaf 0,
 * so that the new log can't take it back. Whoever kept a checkpoint of the former epoch holds it against this one.
 */
export async function formerCheckpoint(
  to: SignedCheckpoint,
  { evidence, trust, report }: { evidence: EpochEvidence; trust: Trust; report: Report },
): Promise<SignedCheckpoint> {
  const { entry: path, proof } = evidence;
  if (path === undefined || proof === undefined) {
    throw new CannotTell(
      `${to.origin} is another epoch of the log: --epoch-entry and --epoch-proof, its first entry (action audit.epoch) and the ` +
        'proof of it, name the checkpoint of the former one',
    );
  }
  const entry = entryOf(await readObject(path), path);
  const { record, seq } = entry;
  if (!isEpochRecord(record)) throw new Refuted(`${path} is no beginning of an epoch: its action is not audit.epoch`);
  const own = { ...trust, origin: undefined, witnesses: [], witnessesNeeded: 0 };
  const proven = await proveByPath(entry, { path: proof, trust: { ...own, firstSeq: seq }, report });
  if (proven.origin !== to.origin) throw new Refuted(`${proof} is of ${proven.origin}, and not of ${to.origin}`);
  if (record.checkpoint === undefined) {
    throw new Refuted(`${path} names no checkpoint of the former epoch, and you keep one`, [to.note]);
  }
  const former = openSigned(record.checkpoint, { what: `the checkpoint that ${path} names`, trust: own, report });
  const lost = former.size - (record.kept_size ?? former.size);
  if (lost > 0)
    report.notShown(`the last ${lost} of ${former.size} entries of ${former.origin}: the restore lost them`);
  return former;
}
