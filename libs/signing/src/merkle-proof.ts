import { emptyRoot, nodeHash } from './merkle-hash.ts';

/** A perfect subtree: 2^level leaves starting at leaf index · 2^level. */
export interface NodeId {
  level: number;
  index: number;
}

/** Reads the hashes of perfect subtrees, in the order asked for. */
export type NodeReader = (nodes: readonly NodeId[]) => Promise<Buffer[]>;

/** The audit path of a leaf in the tree of `size` leaves (RFC 6962, 2.1.1). Throws a RangeError for no such leaf. */
export async function inclusionProof(leaf: number, size: number, read: NodeReader): Promise<Buffer[]> {
  if (!isSize(leaf) || !isSize(size) || leaf >= size) throw new RangeError(`no leaf ${leaf} in a tree of ${size}`);
  return readRanges(inclusionRanges(leaf, 0, size), read);
}

/** The proof that the tree of `from` leaves is the beginning of that of `to` (RFC 6962, 2.1.2). */
export async function consistencyProof(from: number, to: number, read: NodeReader): Promise<Buffer[]> {
  if (!isSize(from) || !isSize(to) || from < 1 || from > to)
    throw new RangeError(`no way from ${from} to ${to} leaves`);
  return readRanges(consistencyRanges({ from, start: 0, end: to, isWhole: true }), read);
}

/** The root of the tree of `size` leaves. */
export async function treeRoot(size: number, read: NodeReader): Promise<Buffer> {
  if (size === 0) return emptyRoot;
  const [root] = await readRanges([{ start: 0, end: size }], read);
  return root!;
}

/** Whether `proof` leads from `leaf` at position `index` to `root` (RFC 9162, 2.1.3.2). */
export function verifyInclusion(claim: {
  index: number;
  size: number;
  leaf: Buffer;
  proof: readonly Buffer[];
  root: Buffer;
}): boolean {
  const { index, size, leaf, proof, root } = claim;
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  let position = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash);
      while (position % 2 === 0 && position > 0) [position, last] = [half(position), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && hash.equals(root);
}

/** Whether `proof` shows that the tree of `from` leaves is the beginning of that of `to` (RFC 9162, 2.1.4.2). */
export function verifyConsistency(claim: {
  from: number;
  to: number;
  fromRoot: Buffer;
  toRoot: Buffer;
  proof: readonly Buffer[];
}): boolean {
  const { from, to, fromRoot, toRoot } = claim;
  if (!isSize(from) || !isSize(to) || from < 1 || from > to) return false;
  if (from === to) return claim.proof.length === 0 && fromRoot.equals(toRoot);
  const path = isPowerOfTwo(from) ? [fromRoot, ...claim.proof] : [...claim.proof];
  const [seed, ...rest] = path;
  if (seed === undefined) return false;
  let [position, last] = [from - 1, to - 1];
  while (position % 2 === 1) [position, last] = [half(position), half(last)];
  let [oldHash, newHash] = [seed, seed];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (position % 2 === 0 && position > 0) [position, last] = [half(position), half(last)];
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && oldHash.equals(fromRoot) && newHash.equals(toRoot);
}

/** Leaves [start, end); a proof is a list of the roots over such ranges. */
interface LeafRange {
  start: number;
  end: number;
}

function inclusionRanges(leaf: number, start: number, end: number): LeafRange[] {
  if (end - start === 1) return [];
  const middle = start + splitOf(end - start);
  return leaf < middle
    ? [...inclusionRanges(leaf, start, middle), { start: middle, end }]
    : [...inclusionRanges(leaf, middle, end), { start, end: middle }];
}

/** SUBPROOF of RFC 6962; `isWhole` is its flag b: the verifier knows this subtree's root already. */
function consistencyRanges(span: LeafRange & { from: number; isWhole: boolean }): LeafRange[] {
  const { from, start, end, isWhole } = span;
  if (from === end) return isWhole ? [] : [{ start, end }];
  const middle = start + splitOf(end - start);
  return from <= middle
    ? [...consistencyRanges({ from, start, end: middle, isWhole }), { start: middle, end }]
    : [...consistencyRanges({ from, start: middle, end, isWhole: false }), { start, end: middle }];
}

/** Reads all perfect subtrees of all ranges at once, then folds each range from the right. */
async function readRanges(ranges: readonly LeafRange[], read: NodeReader): Promise<Buffer[]> {
  const parts = ranges.map(perfectSubtrees);
  const nodes = parts.flat();
  const hashes = nodes.length === 0 ? [] : await read(nodes);
  let at = 0;
  return parts.map((part) => {
    const own = hashes.slice(at, (at += part.length));
    return own.reduceRight((right, left) => nodeHash(left, right));
  });
}

function perfectSubtrees({ start, end }: LeafRange): NodeId[] {
  const nodes: NodeId[] = [];
  for (let at = start; at < end;) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level += 1;
    nodes.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return nodes;
}

/** The largest power of two smaller than `count`. */
function splitOf(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

const half = (value: number) => Math.floor(value / 2);
const isSize = (value: number) => Number.isSafeInteger(value) && value >= 0;
// Not by logarithm: Math.log2 rounds 2^52 + 1 to 52.
const isPowerOfTwo = (value: number) => splitOf(value + 1) === value;
