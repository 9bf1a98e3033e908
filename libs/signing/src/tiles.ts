// Tiles of height 8 as C2SP tlog-tiles defines them: tile (level, index) holds up to 256 hashes, those of the tree's
// levels 8 · level at positions 256 · index and on. A full tile never changes.

export const tileHeight = 8;
export const tileWidth = 256;

export interface TileId {
  /** 0 holds leaf hashes, 1 the roots of full tiles of level 0, and so on. */
  level: number;
  index: number;
}

/** Full tiles of one level in a tree of `size` leaves. */
export function fullTiles(level: number, size: number): number {
  return Math.floor(size / tileWidth ** (level + 1));
}

/** Hashes in a tile of a tree of `size` leaves: 256 when full, fewer at the right edge, 0 beyond it. */
export function widthOfTile({ level, index }: TileId, size: number): number {
  const hashes = Math.floor(size / tileWidth ** level);
  return Math.max(0, Math.min(tileWidth, hashes - index * tileWidth));
}

/** Path of a tile: `tile/<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last with an `x` before them. */
export function tilePath({ level, index }: TileId, width: number = tileWidth): string {
  return pathOf({ level, index, width });
}

/** Path of a bundle of entries, `tile/entries/<N>[.p/<W>]`: the records of the tile of level 0 with the same index. */
export function entryBundlePath(index: number, width: number = tileWidth): string {
  return pathOf({ level: 'entries', index, width });
}

/** What the path of a tile or of a bundle of entries names. */
export interface TileAddress {
  level: number | 'entries';
  index: number;
  /** 1 to 256 */
  width: number;
}

const tilePathShape = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;
const levelMax = 63;

/** Reads a path; undefined for any that {@link tilePath} and {@link entryBundlePath} would not have made. */
export function parseTilePath(path: string): TileAddress | undefined {
  const match = tilePathShape.exec(path);
  if (match === null) return undefined;
  const [, level, groups, width] = match;
  const address: TileAddress = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups!.replaceAll(/[x/]/g, '')),
    width: width === undefined ? tileWidth : Number(width),
  };
  const isLevel = address.level === 'entries' || address.level <= levelMax;
  const isExact = Number.isSafeInteger(address.index) && pathOf(address) === path;
  return isLevel && isExact && address.width <= tileWidth ? address : undefined;
}

function pathOf({ level, index, width }: TileAddress): string {
  const groups = [String(index % 1000).padStart(3, '0')];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`);
  }
  return `tile/${level}/${groups.join('/')}${width === tileWidth ? '' : `.p/${width}`}`;
}

/** Where the root of the perfect subtree (`level`, `index`) is found: one hash of a tile, or several to be combined. */
export function tileOfNode(level: number, index: number): { tile: TileId; first: number; count: number } {
  const tileLevel = Math.floor(level / tileHeight);
  const count = 2 ** (level - tileLevel * tileHeight);
  const start = index * count;
  return {
    tile: { level: tileLevel, index: Math.floor(start / tileWidth) },
    first: start % tileWidth,
    count,
  };
}
