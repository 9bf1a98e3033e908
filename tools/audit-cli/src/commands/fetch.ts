import { tileWidth } from '@boardwire/signing';
import type { Command } from '../command.ts';
import { AuditSite } from '../fetching/audit-site.ts';
import { fetchCheckpoint, fetchHealth, fetchKey, type FetchInto } from '../fetching/fetch-checkpoint.ts';
import { fetchDay, fetchEntry, fetchExport } from '../fetching/fetch-entries.ts';
import { fetchBundles, fetchTiles } from '../fetching/fetch-tiles.ts';
import type { SignedCheckpoint } from '../reading/checkpoint-file.ts';
import { TileTree } from '../reading/tile-tree.ts';
import { CannotTell } from '../verdict.ts';

export const fetchCommand: Command = {
  name: 'fetch',
  summary: 'downloads what the checks need from a site; the only command with a network',
  files: '',
  filesMin: 0,
  filesMax: 0,
  options: {
    url: { type: 'string', value: 'URL', says: 'the site, such as https://board.example.org' },
    'token-file': { type: 'string', value: 'FILE', says: 'an access token of an account with the role auditor' },
    out: { type: 'string', value: 'DIR', says: 'where the files go; what is there is used' },
    tiles: { type: 'boolean', says: 'the tiles of the checkpoint' },
    entries: { type: 'boolean', says: 'the records of the whole log, in bundles, and the tiles' },
    day: { type: 'string', value: 'YYYY-MM-DD', isRepeated: true, says: 'a day’s file' },
    entry: { type: 'string', value: 'SEQ', isRepeated: true, says: 'an entry with its proof and disclosure' },
    epoch: { type: 'string', value: 'NAME', says: 'a former epoch of the log, into a folder of its own' },
    export: { type: 'string', value: 'QUERY', says: 'an export, such as board=events&order=oldest' },
  },
  explains: `Writes DIR/key, DIR/health.json, DIR/checkpoint, DIR/checkpoints/<size>, DIR/consistency/, DIR/tile/, DIR/days/,
DIR/entries/ and DIR/export.jsonl. The key is believed the first time and kept: compare it with the operator by another
way. Each new checkpoint must go on from the former, else it is stored as checkpoint.conflicting and the command ends
with 1. A broken fetch goes on where it was. When the token ends, write a new one into the same file.`,
  async run(given) {
    const { report } = given;
    const folder = given.needed('out');
    const epoch = given.text('epoch');
    const site = new AuditSite(given.needed('url'), given.needed('token-file'), epoch);
    const seqs = given.all('entry').map(seqOf);
    const into = { site, folder, report };
    const trust = await fetchKey(into);
    const size = await fetchHealth(into);
    for (const day of given.all('day')) {
      // oxlint-disable-next-line no-await-in-loop -- one file at a time
      await fetchDay(into, day);
    }
    const query = given.text('export');
    if (query !== undefined) await fetchExport(into, query);
    // After the lists, so that it covers them.
    const checkpoint = await fetchCheckpoint(into, trust, epoch === undefined ? size : 0);
    if (given.has('tiles') || given.has('entries')) {
      await fetchTiles(into, checkpoint);
      const tree = await TileTree.open(folder, checkpoint);
      report.shown(`the tiles in ${folder} lead to the root of the checkpoint`);
      if (given.has('entries')) await fetchRecords(into, checkpoint, tree);
    }
    for (const seq of seqs) {
      // oxlint-disable-next-line no-await-in-loop
      await fetchEntry(into, seq);
    }
    return `${folder} holds the log of ${checkpoint.origin} up to entry ${checkpoint.size - 1}`;
  },
};

/** Each against its leaf: what ends with “verified” must not hold a record that the log hasn't. */
async function fetchRecords(into: FetchInto, checkpoint: SignedCheckpoint, tree: TileTree): Promise<void> {
  await fetchBundles(into, checkpoint);
  // oxlint-disable-next-line no-await-in-loop -- a bundle at a time, however long the log is
  for (let index = 0; index * tileWidth < checkpoint.size; index += 1) await tree.records(index);
  into.report.shown(`the ${checkpoint.size} records in ${into.folder} are those of the log`);
}

function seqOf(text: string): number {
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(text)) throw new CannotTell(`--entry ${text}: entries are numbered from 0`);
  return Number(text);
}
