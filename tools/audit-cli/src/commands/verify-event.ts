import type { Command } from '../command.ts';
import { checkEvent, disclosureOf, hashOf, uncoveredMembers } from '../proving/detail.ts';
import { proveByPath } from '../proving/inclusion.ts';
import { entryOf, type LogEntry } from '../reading/log-entry.ts';
import { readObject } from '../reading/read-file.ts';
import { loadTrust, trustOptions } from '../reading/trust.ts';
import { Refuted } from '../verdict.ts';

export const verifyEvent: Command = {
  name: 'verify event',
  summary: 'from a line of chat to the signed root, step by step',
  files: 'EVENT',
  filesMin: 1,
  filesMax: 1,
  options: {
    ...trustOptions,
    disclosure: { type: 'string', value: 'FILE', says: 'entries/{seq}/disclosure of its entry' },
    entry: { type: 'string', value: 'FILE', says: 'entries/{seq}, the entry of the event' },
    proof: { type: 'string', value: 'FILE', says: 'entries/{seq}/tlog-proof or entries/{seq}/proof' },
  },
  explains: `EVENT is the event's JSON as a reader got it (history, a stream, the console's drawer), with or without cursor.
Proves that this very text by this author was appended to that board at that place: event → datahash → record → leaf →
root → signature of the log → cosignatures of witnesses. It can't prove who sat at the keyboard, nor that the site
accepted the event at the moment it says, other than before the checkpoint was cosigned.`,
  async run(given) {
    const { report } = given;
    const [path] = given.files;
    const trust = await loadTrust(given);
    const entryPath = given.needed('entry');
    const event = await readObject(path!);
    const entry = entryOf(await readObject(entryPath), entryPath);
    if (entry.record.kind !== 'event') throw new Refuted(`${entryPath} is a decision, not the entry of an event`);
    await checkData(event, { entry, what: path!, disclosurePath: given.needed('disclosure') });
    report.shown(`the data of ${path} is what was disclosed`, `SHA-256(salt ‖ data) ${entry.record.datahash}`);
    checkEvent(event, entry.record, path!);
    checkCursor(event, entry, path!);
    const { board, epoch, seq, subject, actor, at } = entry.record;
    report.shown(
      `the record in ${entryPath} is of this event`,
      `${board} ${epoch}-${seq}, ${subject}, by ${actor}, committed ${at}`,
    );
    const uncovered = uncoveredMembers(event);
    if (uncovered.length > 0) report.notShown(`${uncovered.join(', ')}: no hash in the log covers these members`);
    report.shown('the record hashes to the leaf', entry.leaf.toString('hex'));
    const checkpoint = await proveByPath(entry, { path: given.needed('proof'), trust, report });
    const witnesses = checkpoint.cosignatures.length;
    return `${path} stands in ${checkpoint.origin} as entry ${entry.seq}${witnesses > 0 ? `, seen by ${witnesses} witnesses` : ''}`;
  },
};

async function checkData(
  event: Record<string, unknown>,
  { entry, what, disclosurePath }: { entry: LogEntry; what: string; disclosurePath: string },
): Promise<void> {
  const fields = await readObject(disclosurePath);
  const disclosure = disclosureOf(fields, disclosurePath);
  if (fields['seq'] !== entry.seq) {
    throw new Refuted(
      `${disclosurePath} is the disclosure of entry ${String(fields['seq'])}, not of entry ${entry.seq}`,
    );
  }
  const found = hashOf(disclosure);
  if (found !== entry.record.datahash) {
    throw new Refuted(
      `${disclosurePath} does not open the datahash ${entry.record.datahash}: salt and data have the hash ${found}`,
    );
  }
  if (!dataOf(event, what).equals(disclosure.data)) {
    throw new Refuted(`${what} has other data than the log: ${disclosurePath} discloses what was posted`);
  }
}

/** The bytes that a datahash is made of: those that base64 stands for, else the JSON of `data`. */
function dataOf(event: Record<string, unknown>, what: string): Buffer {
  const { data, data_base64: base64 } = event;
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  if (base64 !== undefined) throw new Refuted(`${what}: data_base64 is no text`);
  return Buffer.from(data === undefined ? '' : JSON.stringify(data), 'utf8');
}

function checkCursor({ cursor }: Record<string, unknown>, { record }: LogEntry, what: string): void {
  if (cursor === undefined) return;
  const wanted = `${record.epoch}-${record.seq}`;
  if (cursor !== wanted)
    throw new Refuted(`${what} has the cursor ${JSON.stringify(cursor)}, and the log says ${wanted}`);
}
