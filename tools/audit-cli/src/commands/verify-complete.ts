import { CompactRange, leafHash } from '@boardwire/signing';
import type { Command, Given } from '../command.ts';
import { Completeness } from '../proving/completeness.ts';
import { recordsOf } from '../proving/listed-entries.ts';
import { readCheckpoint, type SignedCheckpoint } from '../reading/checkpoint-file.ts';
import { parseRecord } from '../reading/log-record.ts';
import { decodeText, readObject } from '../reading/read-file.ts';
import { TileTree } from '../reading/tile-tree.ts';
import { loadTrust, trustOptions } from '../reading/trust.ts';
import { mergedEntries } from '../reading/whole-log.ts';
import { CannotTell, Refuted } from '../verdict.ts';

const progressEvery = 100_000;

export const verifyComplete: Command = {
  name: 'verify complete',
  summary: 'the whole log: its root computed anew, no board’s event and no decision left out',
  files: '[DAY.jsonl[.gz] …]',
  filesMin: 0,
  filesMax: 100_000,
  options: {
    ...trustOptions,
    checkpoint: { type: 'string', value: 'FILE', says: 'the checkpoint of the whole log' },
    tiles: { type: 'string', value: 'DIR', says: 'its tiles and bundles of entries, instead of files of all days' },
    health: {
      type: 'string',
      value: 'FILE',
      says: 'an answer of health from before the checkpoint: no tail is missing',
    },
  },
  explains: `Proves that the records make exactly the signed root, that the events of each board and epoch are numbered from 1 on
without a hole and none twice, and the decisions of each service as well. It can't prove that a service handed in every
decision it took, nor find events that never got a number; peers' feeds are compared for that. The end of a board is
only known from somebody else: --health gives what the site said it had.`,
  async run(given) {
    const { report } = given;
    const trust = await loadTrust(given);
    const path = given.needed('checkpoint');
    const checkpoint = await readCheckpoint(path, trust, report);
    // What came before stands in the former epoch of a log that was restored.
    const completeness = new Completeness(trust.firstSeq === 0);
    const records = await recordsFrom(given, checkpoint, trust.firstSeq);
    await takeAll(records, { checkpoint, completeness, given, firstSeq: trust.firstSeq });
    const lines = completeness.check();
    if (trust.firstSeq > 0) report.notShown('what was left out before this epoch of the log: verify the former one');
    report.shown('nothing is left out and nothing is there twice', ...lines);
    await checkTails(given, completeness);
    return `the ${checkpoint.size} entries of ${checkpoint.origin} are whole`;
  },
};

interface SeqRecord {
  seq: number;
  record: Uint8Array;
}

async function recordsFrom(
  given: Given,
  checkpoint: SignedCheckpoint,
  firstSeq: number,
): Promise<AsyncGenerator<SeqRecord>> {
  const folder = given.text('tiles');
  if (folder !== undefined && given.files.length > 0) throw new CannotTell('--tiles, or files of all days, not both');
  if (folder !== undefined) return recordsOf(await TileTree.open(folder, checkpoint, firstSeq));
  if (given.files.length > 0) return recordsOfFiles(given.files, firstSeq);
  throw new CannotTell('--tiles with bundles of entries, or the files of all days, is needed');
}

async function* recordsOfFiles(paths: readonly string[], firstSeq: number): AsyncGenerator<SeqRecord> {
  for await (const { seq, text } of mergedEntries(paths, firstSeq)) yield { seq, record: Buffer.from(text, 'utf8') };
}

async function takeAll(
  records: AsyncGenerator<SeqRecord>,
  of: { checkpoint: SignedCheckpoint; completeness: Completeness; given: Given; firstSeq: number },
): Promise<void> {
  const { checkpoint, completeness, given, firstSeq } = of;
  const { size, root } = checkpoint;
  const range = new CompactRange();
  for await (const { seq, record } of records) {
    // Files may go on behind the checkpoint; they are read to their trailers.
    if (seq >= firstSeq + size) continue;
    range.append(leafHash(record));
    completeness.add(parseRecord(decodeText(record, `entry ${seq}`), `entry ${seq}`), seq);
    if (range.size % progressEvery === 0) given.report.progress(`${range.size} of ${size} entries`);
  }
  if (range.size < size) throw new Refuted(`there are ${range.size} entries, and the checkpoint is of ${size}`);
  if (!range.root().equals(root)) {
    throw new Refuted(
      `the entries have the root ${range.root().toString('hex')}, and the log has signed ${root.toString('hex')}`,
    );
  }
  given.report.shown(`the root of the ${size} entries, computed anew, is the signed one`, root.toString('hex'));
}

/** What the site said it had audited, before it signed the checkpoint. */
async function checkTails(given: Given, completeness: Completeness): Promise<void> {
  const path = given.text('health');
  if (path === undefined) return given.report.notShown('that the newest events of a board are there: --health');
  const { boards } = await readObject(path);
  if (!Array.isArray(boards)) throw new Refuted(`${path} is no answer of health: it has no boards`);
  for (const each of boards as unknown[]) {
    const { board, epoch, audited } = (each ?? {}) as Record<string, unknown>;
    if (typeof board !== 'string' || typeof epoch !== 'string' || !Number.isSafeInteger(audited)) {
      throw new Refuted(`${path} is no answer of health: a board has no name, epoch or mark`);
    }
    const last = completeness.lastOf(board, epoch);
    if (last >= (audited as number)) continue;
    throw new Refuted(
      `the site had audited ${String(audited)} events of ${board} in epoch ${epoch}, and the log has ${last}`,
    );
  }
  given.report.shown(`what the site said in ${path} that it had audited is there`, `${boards.length} boards`);
}
