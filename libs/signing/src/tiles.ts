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
