import type { Command } from '../command.ts';
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
  },
  explains: `Proves that between the two checkpoints the log has only grown. Two roots for one size are a fork: both notes are
printed, and whoever has them can show that the log signed two histories. A smaller NEWER is refused as rolled back.`,
  async run(given) {
    const { report } = given;
    const [older, newer] = given.files;
    const trust = await loadTrust(given);
    const from = await readCheckpoint(older!, { ...trust, witnesses: [], witnessesNeeded: 0 }, report);
    const to = await readCheckpoint(newer!, trust, report);
    await proveExtension(from, to, { evidence: { tiles: given.text('tiles'), proof: given.text('proof') }, report });
    return `the first ${from.size} of ${to.size} entries are what they were`;
  },
};
