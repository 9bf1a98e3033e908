import {
  NoteError,
  openCheckpoint,
  openCosignatures,
  parseCheckpoint,
  parseNote,
  type Checkpoint,
  type Cosignature,
} from '@boardwire/signing';
import type { Report } from '../report.ts';
import { Refuted } from '../verdict.ts';
import { bytesMax, readText } from './read-file.ts';
import type { Trust } from './trust.ts';

/** A checkpoint whose signature holds. */
export interface SignedCheckpoint extends Checkpoint {
  note: string;
  cosignatures: readonly Cosignature[];
}

export async function readCheckpoint(path: string, trust: Trust, report: Report): Promise<SignedCheckpoint> {
  return openSigned(await readText(path, bytesMax.note), { what: path, trust, report });
}

/** Opens a signed note as a checkpoint of the log that the auditor knows. Throws Refuted for anything else. */
export function openSigned(
  note: string,
  { what, trust, report }: { what: string; trust: Trust; report: Report },
): SignedCheckpoint {
  const { origin } = refutedBy(what, () => parseCheckpoint(parseNote(note).text));
  if (trust.origin !== undefined && origin !== trust.origin) {
    throw new Refuted(`${what} is a checkpoint of “${origin}”, and only “${trust.origin}” is accepted`);
  }
  const key = trust.keys.find(({ name }) => name === origin);
  if (key === undefined) {
    const known = trust.keys.map(({ name }) => name).join(', ');
    throw new Refuted(`${what} is a checkpoint of “${origin}”; the keys you gave are those of ${known}`);
  }
  const checkpoint = refutedBy(what, () => openCheckpoint(note, key));
  report.shown(
    `${what} is signed by the log ${origin}`,
    `size ${checkpoint.size}, root ${checkpoint.root.toString('hex')}`,
  );
  const cosignatures = refutedBy(what, () => openCosignatures(note, trust.witnesses));
  checkWitnesses(what, { cosignatures, trust, report });
  return { ...checkpoint, note, cosignatures };
}

function checkWitnesses(
  what: string,
  { cosignatures, trust, report }: { cosignatures: readonly Cosignature[]; trust: Trust; report: Report },
): void {
  for (const { name, atSeconds } of cosignatures) {
    report.shown(`${what} is cosigned by the witness ${name}`, `at ${timeOf(atSeconds)}`);
  }
  if (cosignatures.length < trust.witnessesNeeded) {
    throw new Refuted(
      `${what} is cosigned by ${cosignatures.length} of the witnesses you trust, and ${trust.witnessesNeeded} are needed`,
    );
  }
  if (trust.witnesses.length === 0) {
    report.notShown('that everybody is shown the same log: no witness was asked for (--witness)');
  }
}

function timeOf(seconds: number): string {
  const time = new Date(seconds * 1_000);
  return Number.isNaN(time.getTime()) ? `${seconds} s after 1970` : time.toISOString();
}

function refutedBy<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new Refuted(`${what}: ${error.message}`);
  }
}
