import {
  decodeEntryBundle,
  entryBundlePath,
  hashBytes,
  leafHash,
  nodeHash,
  recordBytesMax,
  splitHashes,
  tileOfNode,
  tilePath,
  tileWidth,
  treeRoot,
  widthOfTile,
  type Checkpoint,
  type NodeReader,
  type TileId,
} from '@boardwire/signing';
import { CannotTell, Refuted } from '../verdict.ts';
import { findTile } from './tile-file.ts';

/** 4 MiB of hashes: the tiles above a long run of leaves stay, the leaves pass through. */
const tilesKept = 512;
const bundleBytesMax = tileWidth * (2 + recordBytesMax);

/**
 * The tree of a checkpoint from a folder of tiles, of which nothing is believed. The partial tiles at the right edge are
 * all that the root is folded from, so a root that fits proves them; every full tile is proven by the hash that the tile
 * above it has in its place.
 */
export class TileTree {
  readonly #tiles = new Map<string, Buffer[]>();

  private constructor(
    private readonly folder: string,
    private readonly checkpoint: Checkpoint,
    private readonly edge: ReadonlyMap<string, Buffer[]>,
    /** The entry that is leaf 0. */
    readonly firstSeq: number,
  ) {}

  /** Throws Refuted when the right edge doesn't lead to the root, CannotTell when a tile of it is missing. */
  static async open(folder: string, checkpoint: Checkpoint, firstSeq = 0): Promise<TileTree> {
    const { size, root } = checkpoint;
    const edge = new Map<string, Buffer[]>();
    for (let level = 0; tileWidth ** level <= size; level += 1) {
      const tile = { level, index: Math.floor(size / tileWidth ** (level + 1)) };
      const width = widthOfTile(tile, size);
      // oxlint-disable-next-line no-await-in-loop -- eight at most
      if (width > 0) edge.set(tilePath(tile), await readHashes(folder, tile, width));
    }
    const found = await treeRoot(
      size,
      readerOf((tile) => Promise.resolve(edge.get(tilePath(tile))!)),
    );
    if (!found.equals(root)) throw wrongEdge({ edge, size, found, root });
    return new TileTree(folder, checkpoint, edge, firstSeq);
  }

  get size(): number {
    return this.checkpoint.size;
  }

  /** The entry after the last one. */
  get endSeq(): number {
    return this.firstSeq + this.size;
  }

  covers(seq: number): boolean {
    return seq >= this.firstSeq && seq < this.endSeq;
  }

  /** The leaf of an entry that the tree covers, proven. */
  async leafOf(seq: number): Promise<Buffer> {
    const index = seq - this.firstSeq;
    return (await this.leaves(Math.floor(index / tileWidth)))[index % tileWidth]!;
  }

  /** Any node of the tree, proven. */
  readonly read: NodeReader = readerOf((tile) => this.#tile(tile));

  /** Leaf hashes `256 · index` and on, proven. */
  leaves(index: number): Promise<Buffer[]> {
    return this.#tile({ level: 0, index });
  }

  /** The records of the same place, each proven by its leaf; undefined when there is no such bundle. */
  async records(index: number): Promise<Buffer[] | undefined> {
    const leaves = await this.leaves(index);
    const pathOf = (width: number) => entryBundlePath(index, width);
    const found = await findTile(this.folder, { pathOf, width: leaves.length, bytesMax: bundleBytesMax });
    if (found === undefined) return undefined;
    const records = recordsOf(found.bytes, found.path);
    if (records.length !== found.width) {
      throw new Refuted(`${found.path} holds ${records.length} records, and its place has ${found.width}`);
    }
    for (const [at, leaf] of leaves.entries()) {
      if (!leafHash(records[at]!).equals(leaf)) {
        throw new Refuted(
          `${found.path}: the record of entry ${this.firstSeq + index * tileWidth + at} is not the one in the log`,
        );
      }
    }
    return records.slice(0, leaves.length);
  }

  async #tile(tile: TileId): Promise<Buffer[]> {
    const path = tilePath(tile);
    const known = this.edge.get(path) ?? this.#tiles.get(path);
    if (known !== undefined) return known;
    if (widthOfTile(tile, this.size) !== tileWidth) throw new RangeError(`${path} is not in a tree of ${this.size}`);
    const hashes = await readHashes(this.folder, tile, tileWidth);
    const above = { level: tile.level + 1, index: Math.floor(tile.index / tileWidth) };
    const wanted = (await this.#tile(above))[tile.index % tileWidth]!;
    if (!foldPerfect(hashes).equals(wanted)) {
      throw new Refuted(
        `${path} is not the log’s: its hashes don’t lead to the one that ${tilePath(above)} has for it`,
      );
    }
    if (this.#tiles.size >= tilesKept) this.#tiles.delete(this.#tiles.keys().next().value!);
    this.#tiles.set(path, hashes);
    return hashes;
  }
}

function readerOf(tileOf: (tile: TileId) => Promise<Buffer[]>): NodeReader {
  return (nodes) =>
    Promise.all(
      nodes.map(async ({ level, index }) => {
        const { tile, first, count } = tileOfNode(level, index);
        return foldPerfect((await tileOf(tile)).slice(first, first + count));
      }),
    );
}

async function readHashes(folder: string, tile: TileId, width: number): Promise<Buffer[]> {
  const pathOf = (wide: number) => tilePath(tile, wide);
  const found = await findTile(folder, { pathOf, width, bytesMax: tileWidth * hashBytes });
  if (found === undefined)
    throw new CannotTell(`${folder} has no ${pathOf(width)}: fetch the tiles of this checkpoint`);
  if (found.bytes.length !== found.width * hashBytes) {
    throw new Refuted(
      `${found.path} has ${found.bytes.length} bytes, and ${found.width} hashes are ${found.width * hashBytes}`,
    );
  }
  return splitHashes(found.bytes.subarray(0, width * hashBytes));
}

function recordsOf(bytes: Buffer, path: string): Buffer[] {
  try {
    return decodeEntryBundle(bytes);
  } catch (error) {
    throw new Refuted(`${path}: ${(error as Error).message}`);
  }
}

function wrongEdge(of: { edge: ReadonlyMap<string, Buffer[]>; size: number; found: Buffer; root: Buffer }): Refuted {
  const paths = [...of.edge].map(([path, { length }]) => (length === tileWidth ? path : `${path}.p/${length}`));
  return new Refuted(
    `the tiles don’t make the tree of ${of.size} entries: ${paths.join(', ')} have the root ${of.found.toString('hex')}, ` +
      `and the checkpoint says ${of.root.toString('hex')}`,
  );
}

function foldPerfect(hashes: readonly Buffer[]): Buffer {
  let row = [...hashes];
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, at) => nodeHash(row[2 * at]!, row[2 * at + 1]!));
  }
  return row[0]!;
}
