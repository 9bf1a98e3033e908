import { hashBytes, NoteError, parseTlogProof } from '@boardwire/signing';
import { Refuted } from '../verdict.ts';
import { bytesMax, parseObject, readText } from './read-file.ts';

export interface InclusionProof {
  /** The place of the leaf in the tree of its epoch. */
  index: number;
  /** The entry it is for, where the answer says it. */
  seq?: number;
  proof: readonly Buffer[];
  /** The signed note it leads to, not opened yet. */
  checkpoint: string;
  /** Where the answer says it beside the checkpoint. */
  size?: number;
}

/** A proof as the site answers it: C2SP tlog-proof, or the JSON of `entries/{seq}/proof`. */
export async function readProof(path: string): Promise<InclusionProof> {
  const text = await readText(path, bytesMax.note);
  if (text.startsWith('{')) return inclusionOf(parseObject(text, path), path);
  try {
    return parseTlogProof(text);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new Refuted(`${path}: ${error.message}`);
  }
}

/** The JSON of `proof/consistency?from=&to=`. */
export async function readConsistency(path: string): Promise<{ from: number; to: number; proof: Buffer[] }> {
  const { from, to, proof } = parseObject(await readText(path, bytesMax.note), path);
  if (!isSize(from) || !isSize(to)) throw new Refuted(`${path} is no consistency proof: from and to are sizes`);
  return { from, to, proof: hashesOf(proof, path) };
}

function inclusionOf(
  { seq, index = seq, size, proof, checkpoint }: Record<string, unknown>,
  path: string,
): InclusionProof {
  if (!isSize(seq) || !isSize(index) || !isSize(size) || typeof checkpoint !== 'string') {
    throw new Refuted(`${path} is no inclusion proof: seq, size, proof and checkpoint are its members`);
  }
  return { index, seq, size, proof: hashesOf(proof, path), checkpoint };
}

function hashesOf(value: unknown, path: string): Buffer[] {
  const isHash = (hash: unknown) => typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash);
  if (!Array.isArray(value) || value.length > 128 || !value.every(isHash)) {
    throw new Refuted(`${path}: its proof is not a list of SHA-256 hashes in hex (${hashBytes} bytes each)`);
  }
  return value.map((hash: string) => Buffer.from(hash, 'hex'));
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
