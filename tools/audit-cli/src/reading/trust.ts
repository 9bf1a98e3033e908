import {
  NoteError,
  parseCosignatureVerifier,
  parseVerifier,
  type CosignatureVerifier,
  type NoteVerifier,
} from '@boardwire/signing';
import type { Given, Option } from '../command.ts';
import { CannotTell } from '../verdict.ts';
import { bytesMax, decodeText, readBytes } from './read-file.ts';

/** Whom the auditor believes: the keys that they got from the operator once, not from the answer that is checked. */
export interface Trust {
  /** A key for each epoch of the log, the newest first. */
  keys: readonly NoteVerifier[];
  origin: string | undefined;
  witnesses: readonly CosignatureVerifier[];
  witnessesNeeded: number;
  /** The entry that is leaf 0: entries are numbered over all epochs of a log, leaves in each. */
  firstSeq: number;
}

export const trustOptions: Readonly<Record<string, Option>> = {
  key: { type: 'string', value: 'FILE', says: 'the log’s verifier keys, a line each, as you first got them' },
  origin: { type: 'string', value: 'NAME', says: 'the only name of a log that is accepted' },
  witness: { type: 'string', value: 'FILE', isRepeated: true, says: 'verifier keys of witnesses you trust' },
  witnesses: { type: 'string', value: 'N', says: 'how many of them must have cosigned (all, if left out)' },
  'first-seq': { type: 'string', value: 'SEQ', says: 'of a log that was restored: the first entry of this epoch (0)' },
};

export async function loadTrust(given: Given): Promise<Trust> {
  const keys = await readKeys(given.needed('key'), parseVerifier);
  const files = await Promise.all(given.all('witness').map((path) => readKeys(path, parseCosignatureVerifier)));
  const witnesses = files.flat();
  const witnessesNeeded = given.count('witnesses') ?? witnesses.length;
  if (witnessesNeeded > witnesses.length) {
    throw new CannotTell(`--witnesses ${witnessesNeeded}, but only ${witnesses.length} keys of witnesses are given`);
  }
  return { keys, origin: given.text('origin'), witnesses, witnessesNeeded, firstSeq: given.count('first-seq') ?? 0 };
}

/** A key that can't be read is no proof against the log: it is the auditor's own. */
async function readKeys<T>(path: string, parse: (line: string) => T): Promise<T[]> {
  const lines = decodeText(await readBytes(path, bytesMax.keys), path)
    .split('\n')
    .filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new CannotTell(`${path} holds no key`);
  return lines.map((line, at) => {
    try {
      return parse(line.trim());
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      throw new CannotTell(`${path}, line ${at + 1}: ${error.message}. Wanted: <name>+<hash>+<base64>, a key a line`);
    }
  });
}
