import type { Command, Given } from '../command.ts';
import { leftOut, listOptions, proveList, recordsOf } from '../proving/listed-entries.ts';
import { Runs } from '../proving/runs.ts';
import { parseRecord } from '../reading/log-record.ts';
import { decodeText } from '../reading/read-file.ts';
import type { TileTree } from '../reading/tile-tree.ts';
import { CannotTell, Refuted } from '../verdict.ts';

export const verifyDay: Command = {
  name: 'verify day',
  summary: 'a day’s file holds entries of that day as they are in the log',
  files: 'DAY.jsonl[.gz]',
  filesMin: 1,
  filesMax: 1,
  options: {
    ...listOptions,
    day: { type: 'string', value: 'YYYY-MM-DD', says: 'the day it must be' },
    complete: { type: 'boolean', says: 'also that no entry of the day is left out (needs the bundles of entries)' },
  },
  explains: `Proves of days/{day}.jsonl that each line is an unchanged entry of the log at its place and of that day, that they are
in order and none is there twice, and that the trailer is true. Only with --complete does it prove that none is left
out, since that takes the records of the whole log; and only up to the checkpoint.`,
  async run(given) {
    const [path] = given.files;
    const asked = given.text('day');
    const seqs = new Runs();
    const days = new Set<string>();
    const { lines, tree } = await proveList(path!, given, ({ seq, record }) => {
      days.add(record.day);
      if (days.size > 1)
        throw new Refuted(`${path}: entry ${seq} is of ${record.day}, and those before it are of ${[...days][0]}`);
      seqs.add(seq + 1);
    });
    const day = dayOf(path!, { said: lines.trailer.day, found: [...days][0], asked });
    if (given.has('complete')) await checkNoneLeftOut(path!, { day, seqs, tree, given, size: lines.trailer.size });
    else given.report.notShown('that no entry of the day is left out: --complete');
    return `${path} holds ${lines.count} entries of ${day} as they are in the log`;
  },
};

function dayOf(
  path: string,
  of: { said: string | undefined; found: string | undefined; asked: string | undefined },
): string {
  const { said, found, asked } = of;
  if (said === undefined) throw new CannotTell(`${path} is no day’s file: its trailer names no day. Try verify range`);
  if (found !== undefined && said !== found)
    throw new Refuted(`${path}: its trailer says ${said}, and its entries are of ${found}`);
  if (asked !== undefined && said !== asked) throw new Refuted(`${path} is of ${said}, not of ${asked}`);
  return said;
}

async function checkNoneLeftOut(
  path: string,
  { day, seqs, tree, given, size }: { day: string; seqs: Runs; tree: TileTree; given: Given; size: number },
): Promise<void> {
  let count = 0;
  for await (const { seq, record } of recordsOf(tree)) {
    // What came in after the file was made can't be in it.
    if (seq >= size) break;
    const { day: own } = parseRecord(decodeText(record, `entry ${seq}`), `entry ${seq}`);
    if (own !== day) continue;
    count += 1;
    if (seqs.add(seq + 1)) throw leftOut(path, { missing: seq, of: `of ${day}` });
  }
  given.report.shown(
    `the log has ${count} entries of ${day} among the entries ${tree.firstSeq} to ${Math.min(size, tree.endSeq) - 1}, and all are in ${path}`,
  );
}
