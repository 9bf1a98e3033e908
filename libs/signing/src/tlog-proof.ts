import { hashBytes } from './merkle-hash.ts';
import { NoteError, strictBase64 } from './verifier-key.ts';

/** A proof that stands alone (C2SP tlog-proof): the place of an entry, its audit path, and the checkpoint it leads to. */
export interface TlogProof {
  /** The place of the leaf, from 0. */
  index: number;
  /** RFC 6962 audit path, from the leaf's sibling up. */
  proof: readonly Buffer[];
  /** The signed note, verbatim. It is not checked here. */
  checkpoint: string;
  /** What the log wants to say beside it. Nobody has signed it: never trust it. */
  extra?: Buffer | undefined;
}

const header = 'c2sp.org/tlog-proof@v1';
/** A tree of 2^64 leaves has no longer path. */
const pathHashesMax = 64;
const indexShape = /^index (0|[1-9][0-9]{0,15})$/;

/** Writes a proof. Throws a NoteError for an index or a hash that is none. */
export function formatTlogProof({ index, proof, checkpoint, extra }: TlogProof): string {
  if (!Number.isSafeInteger(index) || index < 0) throw new NoteError('not an index');
  if (proof.length > pathHashesMax || proof.some((hash) => hash.length !== hashBytes)) {
    throw new NoteError('not an audit path');
  }
  const lines = [
    header,
    ...(extra === undefined ? [] : [`extra ${extra.toString('base64')}`]),
    `index ${index}`,
    ...proof.map((hash) => hash.toString('base64')),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** Reads a proof. Throws a NoteError when it is malformed; the checkpoint in it has yet to be opened. */
export function parseTlogProof(text: string): TlogProof {
  const split = text.indexOf('\n\n');
  if (split < 0) throw new NoteError('not a tlog-proof: no blank line before the checkpoint');
  const [first, ...lines] = text.slice(0, split).split('\n');
  if (first !== header) throw new NoteError(`not a tlog-proof: the first line is not ${header}`);
  const extra = lines[0]?.startsWith('extra ') ? decodeExtra(lines.shift()!) : undefined;
  const index = Number(indexShape.exec(lines.shift() ?? '')?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(index)) throw new NoteError('not a tlog-proof: no index');
  if (lines.length > pathHashesMax) throw new NoteError(`a path of more than ${pathHashesMax} hashes`);
  const checkpoint = text.slice(split + 2);
  return { index, proof: lines.map(decodeHash), checkpoint, ...(extra === undefined ? {} : { extra }) };
}

function decodeExtra(line: string): Buffer {
  const extra = strictBase64(line.slice('extra '.length));
  if (extra === undefined) throw new NoteError('not a tlog-proof: the extra data is not base64');
  return extra;
}

function decodeHash(line: string): Buffer {
  const hash = strictBase64(line);
  if (hash?.length !== hashBytes) throw new NoteError('not a tlog-proof: a line of the path is not a hash');
  return hash;
}
