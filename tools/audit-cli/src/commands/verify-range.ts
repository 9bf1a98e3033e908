import type { Command } from '../command.ts';
import { leftOut, listOptions, proveList } from '../proving/listed-entries.ts';
import { Runs } from '../proving/runs.ts';
import { CannotTell } from '../verdict.ts';

export const verifyRange: Command = {
  name: 'verify range',
  summary: 'an export holds entries as they are in the log, all of a range if asked',
  files: 'EXPORT.jsonl[.gz]',
  filesMin: 1,
  filesMax: 1,
  options: {
    ...listOptions,
    from: { type: 'string', value: 'SEQ', says: 'the first entry of a range that must be there without a hole' },
    to: { type: 'string', value: 'SEQ', says: 'the last one' },
  },
  explains: `Proves of an export (format=jsonl) that each line is an unchanged entry of the log at its place, that they are in order
and none is there twice, and that the trailer is true. With --from and --to also that every entry between is there. It
can't prove that a filter left nothing out that it fits: compare with the whole range.`,
  async run(given) {
    const [path] = given.files;
    const [from, to] = [given.count('from'), given.count('to')];
    if ((from === undefined) !== (to === undefined)) throw new CannotTell('--from and --to go together');
    const seqs = new Runs();
    const { lines } = await proveList(path!, given, ({ seq }) => void seqs.add(seq + 1));
    if (from === undefined || to === undefined) {
      given.report.notShown('that nothing is left out which the filter fits: --from and --to show it of a whole range');
      return `${path} holds ${lines.count} entries as they are in the log`;
    }
    // Shifted by one, as numbers in `Runs` begin at 1.
    const missing = seqs.firstMissing(from + 1) - 1;
    if (missing <= to) throw leftOut(path!, { missing, of: `between ${from} and ${to}` });
    return `${path} holds every entry from ${from} to ${to} as it is in the log`;
  },
};
