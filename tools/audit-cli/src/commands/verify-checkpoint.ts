import type { Command } from '../command.ts';
import { proveExtension } from '../proving/extension.ts';
import { readCheckpoint } from '../reading/checkpoint-file.ts';
import { loadTrust, trustOptions } from '../reading/trust.ts';

export const verifyCheckpoint: Command = {
  name: 'verify checkpoint',
  summary: 'a checkpoint is signed by the log, and goes on from those you kept',
  files: 'CHECKPOINT',
  filesMin: 1,
  filesMax: 1,
  options: {
    ...trustOptions,
    kept: { type: 'string', value: 'FILE', isRepeated: true, says: 'a checkpoint that you got before' },
    tiles: {
      type: 'string',
      value: 'DIR',
      says: 'the tiles of CHECKPOINT, to show that it goes on from a smaller one',
    },
    proof: { type: 'string', value: 'FILE', says: 'the same by an answer of proof/consistency' },
  },
  explains: `Proves that the log with the given key has signed this size and this root. With --kept also that nothing that was in
the log then has been changed, taken out or reordered since. It can't prove that everybody is shown the same log: only
witnesses (--witness), or comparing checkpoints with somebody else, does. A checkpoint doesn't prove when it was made.`,
  async run(given) {
    const { report } = given;
    const [path] = given.files;
    const trust = await loadTrust(given);
    const checkpoint = await readCheckpoint(path!, trust, report);
    const evidence = { tiles: given.text('tiles'), proof: given.text('proof') };
    // What was kept needs no cosignatures: the auditor has seen it themselves.
    const own = { ...trust, witnesses: [], witnessesNeeded: 0 };
    for (const kept of given.all('kept')) {
      // oxlint-disable-next-line no-await-in-loop -- told in order
      await proveExtension(await readCheckpoint(kept, own, report), checkpoint, { evidence, report });
    }
    return `${path} is a checkpoint of ${checkpoint.origin} over ${checkpoint.size} entries`;
  },
};
