import { treeRoot, verifyConsistency } from '@boardwire/signing';
import type { SignedCheckpoint } from '../reading/checkpoint-file.ts';
import { readConsistency } from '../reading/proof-file.ts';
import { TileTree } from '../reading/tile-tree.ts';
import type { Report } from '../report.ts';
import { CannotTell, Refuted } from '../verdict.ts';

/** Where a proof of consistency can come from. */
export interface ExtensionEvidence {
  tiles: string | undefined;
  proof: string | undefined;
}

/**
 * That a log has only grown from one checkpoint to another. Throws Refuted with both notes when it has not: whoever
 * signed both can't deny either.
 */
export async function proveExtension(
  from: SignedCheckpoint,
  to: SignedCheckpoint,
  { evidence, report }: { evidence: ExtensionEvidence; report: Report },
): Promise<void> {
  checkOrigins(from, to);
  if (to.size < from.size) {
    throw new Refuted(
      `the log is shorter than it was: ${from.size} entries were signed, now ${to.size}. It was rolled back, or you were ` +
        `given an old checkpoint`,
      [from.note, to.note],
    );
  }
  if (from.size === to.size) {
    if (!from.root.equals(to.root)) throw fork(from, to, 'two roots are signed for one size');
    report.shown(`both checkpoints are of the same ${to.size} entries`, `root ${to.root.toString('hex')}`);
    return;
  }
  if (from.size === 0) return report.shown(`the log has grown from nothing to ${to.size} entries`);
  if (evidence.tiles !== undefined) await byTiles(from, to, evidence.tiles);
  else if (evidence.proof !== undefined) await byProof(from, to, evidence.proof);
  else
    throw new CannotTell(
      `a log of ${from.size} and one of ${to.size} entries: --tiles or --proof must show one to be the start of the other`,
    );
  report.shown(
    `the log of ${from.size} entries is the beginning of that of ${to.size}`,
    `root then ${from.root.toString('hex')}`,
    `root now ${to.root.toString('hex')}`,
  );
}

/** The tree of the newer checkpoint has one root at the older size; it must be the one that was signed. */
async function byTiles(from: SignedCheckpoint, to: SignedCheckpoint, folder: string): Promise<void> {
  const tree = await TileTree.open(folder, to);
  const root = await treeRoot(from.size, tree.read);
  if (root.equals(from.root)) return;
  throw fork(from, to, `the first ${from.size} entries of today’s log have the root ${root.toString('hex')}`);
}

/** A proof that doesn't fit may be the wrong file; only the tiles of a signed tree show which of the two it is. */
async function byProof(from: SignedCheckpoint, to: SignedCheckpoint, path: string): Promise<void> {
  const { proof, ...sizes } = await readConsistency(path);
  if (sizes.from !== from.size || sizes.to !== to.size) {
    throw new Refuted(
      `${path} leads from ${sizes.from} to ${sizes.to} entries, and the checkpoints are of ${from.size} and ${to.size}`,
    );
  }
  if (verifyConsistency({ ...sizes, fromRoot: from.root, toRoot: to.root, proof })) return;
  throw new Refuted(
    `${path} doesn’t lead from the root of ${from.size} entries to that of ${to.size}: it is not the proof of these two, or ` +
      `the log was rewritten. --tiles tells which`,
    [from.note, to.note],
  );
}

function checkOrigins(from: SignedCheckpoint, to: SignedCheckpoint): void {
  if (from.origin === to.origin) return;
  throw new CannotTell(
    `the checkpoints are of two logs, “${from.origin}” and “${to.origin}”. A site that was restored begins a new one, whose ` +
      `entry 0 (action audit.epoch) holds the last checkpoint of the former: compare with that one`,
  );
}

function fork(from: SignedCheckpoint, to: SignedCheckpoint, why: string): Refuted {
  return new Refuted(`the log was rewritten: ${why}. Keep both notes, the log has signed both`, [from.note, to.note]);
}
