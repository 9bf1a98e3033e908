import { CompactRange, tileHeight } from '@boardwire/signing';

export interface FullTile {
  level: number;
  index: number;
  root: Buffer;
  hashes: Buffer;
}

/** What one batch adds to the tree. */
export interface Growth {
  from: number;
  /** The right edge before it. */
  fromEdge: Buffer;
  size: number;
  /** The right edge after it. */
  edge: Buffer;
  /** The batch's leaf hashes in a row. */
  leaves: Buffer;
  tiles: FullTile[];
}

/**
 * The Merkle tree at its right edge, and the tiles there that are not full yet. A growth that could not be stored leaves
 * it ahead of the database: throw it away and load it again.
 */
export class Tree {
  readonly #range: CompactRange;
  /** By tile level: the hashes of the tile that is being filled. */
  readonly #open: Buffer[][];

  constructor(range: CompactRange, open: Buffer[][]) {
    this.#range = range;
    this.#open = open;
  }

  get size(): number {
    return this.#range.size;
  }

  root(): Buffer {
    return this.#range.root();
  }

  edge(): Buffer {
    return this.#range.toBytes();
  }

  grow(leaves: readonly Buffer[]): Growth {
    const from = this.#range.size;
    const fromEdge = this.#range.toBytes();
    const tiles: FullTile[] = [];
    for (const leaf of leaves) {
      this.#range.append(leaf, (level, index, hash) => this.#note({ level, index, hash }, tiles));
    }
    const { size } = this.#range;
    return { from, fromEdge, size, edge: this.#range.toBytes(), leaves: Buffer.concat(leaves), tiles };
  }

  /** The root of a full tile is the first hash of interest one tile level up. */
  #note({ level, index, hash }: { level: number; index: number; hash: Buffer }, tiles: FullTile[]): void {
    if (level % tileHeight !== 0) return;
    const tileLevel = level / tileHeight;
    if (tileLevel > 0) {
      const filled = this.#open[tileLevel - 1]!;
      tiles.push({ level: tileLevel - 1, index, root: hash, hashes: Buffer.concat(filled) });
      filled.length = 0;
    }
    (this.#open[tileLevel] ??= []).push(hash);
  }
}
