import type { Command, Given } from '../command.ts';
import { readCheckpoint } from '../reading/checkpoint-file.ts';
import { EntryLines } from '../reading/entry-lines.ts';
import type { LogEntry } from '../reading/log-entry.ts';
import { TileTree } from '../reading/tile-tree.ts';
import { loadTrust, trustOptions } from '../reading/trust.ts';
import { CannotTell, Refuted } from '../verdict.ts';
import { proveByTiles } from './inclusion.ts';

export const listOptions: Command['options'] = {
  ...trustOptions,
  checkpoint: { type: 'string', value: 'FILE', says: 'a checkpoint that covers the file' },
  tiles: { type: 'string', value: 'DIR', says: 'the tiles of that checkpoint' },
};

const progressEvery = 50_000;

/** Reads a file of entries and holds each against the tiles; `onEntry` sees them one by one. */
export async function proveList(
  path: string,
  given: Given,
  onEntry: (entry: LogEntry, what: string) => void,
): Promise<{ lines: EntryLines; tree: TileTree }> {
  const { report } = given;
  const trust = await loadTrust(given);
  const folder = given.needed('tiles');
  const checkpoint = await readCheckpoint(given.needed('checkpoint'), trust, report);
  const tree = await TileTree.open(folder, checkpoint, trust.firstSeq);
  report.shown(`the tiles in ${folder} lead to the root of ${given.needed('checkpoint')}`);
  const lines = new EntryLines(path);
  let former = 0;
  for await (const entry of lines.entries()) {
    if (entry.seq >= tree.endSeq) {
      throw new CannotTell(
        `${path} goes on to entry ${entry.seq}, and the checkpoint covers those before ${tree.endSeq}: fetch a newer one`,
      );
    }
    if (entry.seq < tree.firstSeq) {
      former += 1;
      continue;
    }
    await proveByTiles(entry, tree, path);
    onEntry(entry, path);
    if (lines.count % progressEvery === 0) report.progress(`${lines.count} entries`);
  }
  if (former > 0) {
    report.notShown(`${former} entries of a former epoch: verify them with its checkpoint and its tiles`);
    if (former === lines.count) throw new CannotTell(`all entries in ${path} are of a former epoch of the log`);
  }
  report.shown(
    `each of the ${lines.count - former} entries in ${path} is in the log at its place, ${lines.order}`,
    `the trailer is true: SHA-256 ${lines.trailer.sha256}`,
  );
  return { lines, tree };
}

/** All records of the log in order, from the bundles beside the tiles. Throws CannotTell when one is missing. */
export async function* recordsOf(tree: TileTree): AsyncGenerator<{ seq: number; record: Buffer }> {
  for (let index = 0; index * 256 < tree.size; index += 1) {
    // oxlint-disable-next-line no-await-in-loop -- in order, one bundle in memory
    const records = await tree.records(index);
    if (records === undefined) {
      throw new CannotTell(
        `the records of entry ${tree.firstSeq + index * 256} and on are missing: fetch the bundles of entries (fetch --entries)`,
      );
    }
    for (const [at, record] of records.entries()) yield { seq: tree.firstSeq + index * 256 + at, record };
  }
}

/** A file can leave out what it likes; only the records of the whole log show whether it did. */
export function leftOut(path: string, { missing, of }: { missing: number; of: string }): Refuted {
  return new Refuted(`${path} leaves out entry ${missing}, which is ${of}`);
}
