import { emptyRoot, hashBytes, nodeHash } from './merkle-hash.ts';

/**
 * The right edge of an RFC 6962 tree: the roots of its perfect subtrees, largest first, one for each 1 bit of the size.
 * It is all that is needed to append leaves and to know the root, at 32 bytes a level.
 */
export class CompactRange {
  #size: number;
  readonly #hashes: Buffer[];

  /** Throws a RangeError unless there is exactly one hash for each 1 bit of `size`. */
  constructor(size = 0, hashes: readonly Buffer[] = []) {
    if (!Number.isSafeInteger(size) || size < 0 || hashes.length !== countOnes(size)) {
      throw new RangeError(`${hashes.length} subtrees cannot cover ${size} leaves`);
    }
    this.#size = size;
    this.#hashes = [...hashes];
  }

  get size(): number {
    return this.#size;
  }

  /** The subtree roots, largest first. */
  get hashes(): readonly Buffer[] {
    return this.#hashes;
  }

  /**
   * Appends one leaf. `onNode(level, index, hash)` gets every perfect subtree that it completes, from the leaf (level 0)
   * up; `index` counts subtrees of that level from the left.
   */
  append(leaf: Buffer, onNode?: (level: number, index: number, hash: Buffer) => void): void {
    let hash = leaf;
    let index = this.#size;
    onNode?.(0, index, hash);
    for (let level = 1; index % 2 === 1; level += 1) {
      hash = nodeHash(this.#hashes.pop()!, hash);
      index = (index - 1) / 2;
      onNode?.(level, index, hash);
    }
    this.#hashes.push(hash);
    this.#size += 1;
  }

  root(): Buffer {
    if (this.#hashes.length === 0) return emptyRoot;
    return this.#hashes.reduceRight((right, left) => nodeHash(left, right));
  }

  clone(): CompactRange {
    return new CompactRange(this.#size, this.#hashes);
  }

  /** The subtree roots in a row, to be stored beside the size. */
  toBytes(): Buffer {
    return Buffer.concat(this.#hashes);
  }

  static fromBytes(size: number, bytes: Uint8Array): CompactRange {
    return new CompactRange(size, splitHashes(bytes));
  }
}

/** Cuts a row of hashes. Throws a RangeError unless it is a whole number of them. */
export function splitHashes(bytes: Uint8Array): Buffer[] {
  if (bytes.length % hashBytes !== 0) throw new RangeError('not a whole number of hashes');
  const whole = Buffer.from(bytes);
  return Array.from({ length: whole.length / hashBytes }, (_, at) =>
    whole.subarray(at * hashBytes, (at + 1) * hashBytes),
  );
}

function countOnes(size: number): number {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}
