import type { Queryable } from '@boardwire/database';
import type { LogPlace } from './log-place.ts';
import {
  hashBytes,
  nodeHash,
  splitHashes,
  tileOfNode,
  tileWidth,
  type NodeReader,
  type TileId,
} from '@boardwire/signing';

/** Reads nodes of an epoch's tree from the stored tiles, and from leaves where a tile is not full yet. */
export function hashReader(database: Queryable, place: LogPlace = { era: 0, firstSeq: 0 }): NodeReader {
  return async (nodes) => {
    const tiles = new Map<string, Promise<Buffer[]>>();
    const hashesOf = (tile: TileId) => {
      const key = `${tile.level}/${tile.index}`;
      let hashes = tiles.get(key);
      if (hashes === undefined) tiles.set(key, (hashes = readTile(database, tile, place)));
      return hashes;
    };
    return Promise.all(
      nodes.map(async ({ level, index }) => {
        const { tile, first, count } = tileOfNode(level, index);
        const run = (await hashesOf(tile)).slice(first, first + count);
        if (run.length < count) throw new Error(`node ${level}/${index} is not stored`);
        return foldPerfect(run);
      }),
    );
  };
}

/** The hashes of a tile, fewer than 256 at the right edge of the tree. */
export async function readTile(database: Queryable, tile: TileId, place: LogPlace): Promise<Buffer[]> {
  const [full] = await database.query<{ hashes: Buffer }>(
    'SELECT hashes FROM tile WHERE era = $1 AND level = $2 AND index = $3',
    [place.era, tile.level, tile.index],
  );
  if (full !== undefined) return splitHashes(full.hashes);
  return tile.level === 0
    ? readLeaves(database, place.firstSeq + tile.index * tileWidth)
    : readRoots(database, tile, place);
}

async function readRoots(database: Queryable, { level, index }: TileId, { era }: LogPlace): Promise<Buffer[]> {
  const first = index * tileWidth;
  const rows = await database.query<{ root: Buffer }>(
    'SELECT root FROM tile WHERE era = $1 AND level = $2 AND index >= $3 AND index < $4 ORDER BY index',
    [era, level - 1, first, first + tileWidth],
  );
  return rows.map(({ root }) => root);
}

async function readLeaves(database: Queryable, first: number): Promise<Buffer[]> {
  const rows = await database.query<{ first_seq: number; hashes: Buffer }>(
    `SELECT first_seq, hashes FROM leaf
     WHERE first_seq >= coalesce((SELECT max(first_seq) FROM leaf WHERE first_seq <= $1), 0) AND first_seq < $2
     ORDER BY first_seq`,
    [first, first + tileWidth],
  );
  const start = rows[0]?.first_seq ?? first;
  const hashes = splitHashes(Buffer.concat(rows.map((row) => row.hashes)));
  const expected = rows.at(-1);
  if (expected !== undefined && expected.first_seq + expected.hashes.length / hashBytes !== start + hashes.length) {
    throw new Error(`leaf hashes are missing behind ${start}`);
  }
  return hashes.slice(first - start, first - start + tileWidth);
}

function foldPerfect(hashes: readonly Buffer[]): Buffer {
  let row = [...hashes];
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, at) => nodeHash(row[2 * at]!, row[2 * at + 1]!));
  }
  return row[0]!;
}
