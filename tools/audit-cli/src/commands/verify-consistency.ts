import type { Command } from '../command.ts';
import { formerCheckpoint } from '../proving/epoch-change.ts';
import { proveExtension } from '../proving/extension.ts';
import { readCheckpoint } from '../reading/checkpoint-file.ts';
import { loadTrust, trustOptions } from '../reading/trust.ts';

export const verifyConsistency: Command = {
  name: 'verify consistency',
  summary: 'the log of an older checkpoint is the beginning of that of a newer one',
  files: 'OLDER NEWER',
  filesMin: 2,
  filesMax: 2,
  options: {
    ...trustOptions,
    tiles: { type: 'string', value: 'DIR', says: 'the tiles of NEWER: the root at the older size is computed anew' },
    proof: { type: 'string', value: 'FILE', says: 'an answer of proof/consistency?from=&to= for the two sizes' },
    'epoch-entry': { type: 'string', value: 'FILE', says: 'after a restore: the first entry of NEWER’s epoch' },
    'epoch-proof': { type: 'string', value: 'FILE', says: 'the proof of that entry' },
  },
  explains: `Proves that between the two checkpoints the log has only grown. Two roots for one size are a fork: both notes are
printed, and whoever has them can show that the log signed two histories. A smaller NEWER is refused as rolled back.
After a restore the log goes on in a new epoch, whose first entry names the newest checkpoint known of the former one: OLDER is
then held against that one (--tiles or --proof of the former epoch).`,
  async run(given) {
    const { report } = given;
    const [older, newer] = given.files;
    const trust = await loadTrust(given);
    const own = { ...trust, origin: undefined, witnesses: [], witnessesNeeded: 0 };
    const from = await readCheckpoint(older!, own, report);
    const to = await readCheckpoint(newer!, trust, report);
    const evidence = { tiles: given.text('tiles'), proof: given.text('proof') };
    if (from.origin === to.origin) {
      await proveExtension(from, to, { evidence, report });
      return `the first ${from.size} of ${to.size} entries are what they were`;
    }
    const epoch = { entry: given.text('epoch-entry'), proof: given.text('epoch-proof') };
    await proveExtension(from, await formerCheckpoint(to, { evidence: epoch, trust, report }), { evidence, report });
    return `${to.origin} goes on from a log that begins with the ${from.size} entries of ${older}`;
  },
};
