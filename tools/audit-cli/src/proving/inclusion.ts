import { verifyInclusion } from '@boardwire/signing';
import { openSigned, type SignedCheckpoint } from '../reading/checkpoint-file.ts';
import type { LogEntry } from '../reading/log-entry.ts';
import { readProof } from '../reading/proof-file.ts';
import type { TileTree } from '../reading/tile-tree.ts';
import type { Trust } from '../reading/trust.ts';
import type { Report } from '../report.ts';
import { Refuted } from '../verdict.ts';

/** That an entry is in a log, by a proof that carries its checkpoint. */
export async function proveByPath(
  { seq, leaf }: LogEntry,
  { path, trust, report }: { path: string; trust: Trust; report: Report },
): Promise<SignedCheckpoint> {
  const { index, proof, checkpoint: note, ...said } = await readProof(path);
  const checkpoint = openSigned(note, { what: `the checkpoint in ${path}`, trust, report });
  if (said.seq !== undefined && said.seq !== seq) {
    throw new Refuted(`${path} is a proof of entry ${said.seq}, not of entry ${seq}`);
  }
  if (index !== seq - trust.firstSeq) throw wrongIndex(path, { index, seq, firstSeq: trust.firstSeq });
  const { size, root } = checkpoint;
  if (said.size !== undefined && said.size !== size) {
    throw new Refuted(`${path} says a log of ${said.size} entries, and its checkpoint is of ${size}`);
  }
  if (index >= size) throw new Refuted(`${path}: entry ${index} can't be in a log of ${size} entries`);
  if (!verifyInclusion({ index, size, leaf, proof, root })) {
    throw new Refuted(
      `entry ${seq} is not in the log: its leaf ${leaf.toString('hex')} doesn’t lead to the root by ${path}`,
    );
  }
  report.shown(
    `entry ${seq} is in the log of ${size} entries`,
    `leaf ${leaf.toString('hex')}`,
    ...proof.map((hash) => `with ${hash.toString('hex')}`),
    `root ${root.toString('hex')}`,
  );
  return checkpoint;
}

/** That an entry stands at its place in the tree of these tiles. */
export async function proveByTiles({ seq, leaf }: LogEntry, tree: TileTree, what: string): Promise<void> {
  if (!tree.covers(seq)) {
    throw new Refuted(`${what}: entry ${seq} can't be in a log of the entries ${tree.firstSeq} to ${tree.endSeq - 1}`);
  }
  const found = await tree.leafOf(seq);
  if (found.equals(leaf)) return;
  throw new Refuted(
    `${what}: entry ${seq} is not the one in the log: its leaf is ${leaf.toString('hex')}, and the log has ${found.toString('hex')}`,
  );
}

function wrongIndex(path: string, { index, seq, firstSeq }: { index: number; seq: number; firstSeq: number }): Refuted {
  const hint =
    index < seq && firstSeq === 0 ? '. If the log was restored, --first-seq says where this epoch begins' : '';
  return new Refuted(`${path} is a proof of entry ${firstSeq + index}, not of entry ${seq}${hint}`);
}
