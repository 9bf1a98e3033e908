import { isEqual, joined, type Bytes } from './bytes.ts';

// Written against RFC 6962 and RFC 9162 alone, not against the site's own library: what checks a log shares no code with it.

export const hashBytes = 32;
const leafPrefix = Uint8Array.of(0x00);
const nodePrefix = Uint8Array.of(0x01);

export async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', joined(...parts)));
}

/** SHA-256(0x00 ‖ record). */
export const leafHash = (record: Uint8Array) => sha256(leafPrefix, record);
/** SHA-256(0x01 ‖ left ‖ right). */
export const nodeHash = (left: Uint8Array, right: Uint8Array) => sha256(nodePrefix, left, right);

/** One level of a fold: on which side the hash of the proof stood, and what the two make. */
export interface FoldStep {
  side: 'left' | 'right';
  sibling: Bytes;
  result: Bytes;
}

export interface InclusionFold {
  steps: FoldStep[];
  /** Undefined when the proof has too many or too few hashes for this place in a tree of this size. */
  root: Bytes | undefined;
}

/** Folds an audit path up to the root it leads to (RFC 9162, 2.1.3.2). */
export async function foldInclusion(claim: {
  index: number;
  size: number;
  leaf: Bytes;
  proof: readonly Bytes[];
}): Promise<InclusionFold> {
  const { index, size, leaf, proof } = claim;
  const steps: FoldStep[] = [];
  if (!isCount(index) || !isCount(size) || index >= size) return { steps, root: undefined };
  let [position, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== hashBytes) return { steps, root: undefined };
    const isLeft = position % 2 === 1 || position === last;
    // oxlint-disable-next-line no-await-in-loop -- each level needs the one below
    hash = await (isLeft ? nodeHash(sibling, hash) : nodeHash(hash, sibling));
    steps.push({ side: isLeft ? 'left' : 'right', sibling, result: hash });
    if (isLeft) [position, last] = withoutEmptyLevels(position, last);
    [position, last] = [half(position), half(last)];
  }
  return { steps, root: last === 0 ? hash : undefined };
}

/** Whether `proof` shows that the tree of `from` leaves is the beginning of that of `to` (RFC 9162, 2.1.4.2). */
export async function isConsistent(claim: {
  from: number;
  to: number;
  fromRoot: Bytes;
  toRoot: Bytes;
  proof: readonly Bytes[];
}): Promise<boolean> {
  const { from, to, fromRoot, toRoot, proof } = claim;
  if (!isCount(from) || !isCount(to) || from < 1 || from > to) return false;
  if (from === to) return proof.length === 0 && isEqual(fromRoot, toRoot);
  const [seed, ...rest] = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof;
  if (seed === undefined) return false;
  let [position, last] = [from - 1, to - 1];
  while (position % 2 === 1) [position, last] = [half(position), half(last)];
  let [oldHash, newHash] = [seed, seed];
  for (const sibling of rest) {
    if (last === 0 || sibling.length !== hashBytes) return false;
    /* oxlint-disable no-await-in-loop -- each level needs the one below */
    if (position % 2 === 1 || position === last) {
      oldHash = await nodeHash(sibling, oldHash);
      newHash = await nodeHash(sibling, newHash);
      [position, last] = withoutEmptyLevels(position, last);
    } else {
      newHash = await nodeHash(newHash, sibling);
    }
    /* oxlint-enable no-await-in-loop */
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && isEqual(oldHash, fromRoot) && isEqual(newHash, toRoot);
}

/** A right-most node without a neighbour moves up unhashed. */
function withoutEmptyLevels(position: number, last: number): [number, number] {
  let [at, end] = [position, last];
  while (at % 2 === 0 && at > 0) [at, end] = [half(at), half(end)];
  return [at, end];
}

// Not by shifts: those have 32 bits, and a log may have more entries.
const half = (value: number) => Math.floor(value / 2);
const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;

function isPowerOfTwo(value: number): boolean {
  let power = 1;
  while (power < value) power *= 2;
  return power === value;
}
