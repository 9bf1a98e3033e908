import type { Command, Given } from '../command.ts';
import { disclosureOf, hashOf } from '../proving/detail.ts';
import { proveByPath, proveByTiles } from '../proving/inclusion.ts';
import { readCheckpoint } from '../reading/checkpoint-file.ts';
import { entryOf, type LogEntry } from '../reading/log-entry.ts';
import { readObject } from '../reading/read-file.ts';
import { TileTree } from '../reading/tile-tree.ts';
import { loadTrust, trustOptions } from '../reading/trust.ts';
import { CannotTell, Refuted } from '../verdict.ts';

export const verifyEntry: Command = {
  name: 'verify entry',
  summary: 'an entry says what its record says, and is in the log at its place',
  files: 'ENTRY',
  filesMin: 1,
  filesMax: 1,
  options: {
    ...trustOptions,
    proof: { type: 'string', value: 'FILE', says: 'entries/{seq}/tlog-proof or entries/{seq}/proof' },
    tiles: { type: 'string', value: 'DIR', says: 'instead of a proof: the tiles of --checkpoint' },
    checkpoint: { type: 'string', value: 'FILE', says: 'with --tiles' },
    disclosure: { type: 'string', value: 'FILE', says: 'entries/{seq}/disclosure, which opens the datahash' },
  },
  explains: `ENTRY is the JSON of entries/{seq}, or one line of an export. Proves that every field of it follows from its record or
its detail, and that the record's hash is in the tree that the log has signed. A detail is proven where its salt is at
hand: with a decision it is, an event needs --disclosure. One that was redacted is not proven, and breaks nothing.`,
  async run(given) {
    const [path] = given.files;
    const trust = await loadTrust(given);
    const entry = entryOf(await readObject(path!), path!);
    given.report.shown(`every field of ${path} is what its record says`, `leaf ${entry.leaf.toString('hex')}`);
    await checkContent(entry, given);
    const way = wayOf(given);
    if ('proof' in way) await proveByPath(entry, { path: way.proof, trust, report: given.report });
    else {
      const tree = await TileTree.open(
        way.tiles,
        await readCheckpoint(way.checkpoint, trust, given.report),
        trust.firstSeq,
      );
      await proveByTiles(entry, tree, path!);
      given.report.shown(`entry ${entry.seq} is in the log of ${tree.size} entries`, `by the tiles in ${way.tiles}`);
    }
    return `entry ${entry.seq} is in the log as ${path} says it`;
  },
};

function wayOf(given: Given): { proof: string } | { tiles: string; checkpoint: string } {
  const [proof, tiles] = [given.text('proof'), given.text('tiles')];
  if (proof !== undefined && tiles !== undefined) throw new CannotTell('--proof or --tiles, not both');
  if (proof !== undefined) return { proof };
  if (tiles === undefined) throw new CannotTell('--proof, or --tiles with --checkpoint, is needed');
  return { tiles, checkpoint: given.needed('checkpoint') };
}

async function checkContent({ seq, record, detail }: LogEntry, given: Given): Promise<void> {
  const path = given.text('disclosure');
  if (path !== undefined) {
    const fields = await readObject(path);
    const disclosure = disclosureOf(fields, path);
    if (fields['seq'] !== seq)
      throw new Refuted(`${path} is the disclosure of entry ${String(fields['seq'])}, not of entry ${seq}`);
    const found = hashOf(disclosure);
    if (found !== record.datahash) {
      throw new Refuted(`${path} does not open the datahash ${record.datahash}: salt and data have the hash ${found}`);
    }
    given.report.shown(`the content of entry ${seq} is what ${path} discloses`, `SHA-256(salt ‖ data) ${found}`);
  } else if (detail === undefined)
    given.report.notShown('its content, which the site does not hold any more or did not give');
  else if (record.kind === 'decision') given.report.shown('its detail is what the record’s datahash was made of');
  else given.report.notShown('the data of the event: --disclosure opens its datahash');
}
