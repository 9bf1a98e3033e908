import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tileWidth } from '@boardwire/signing';
import { readIfThere } from './read-file.ts';

/**
 * A tile or a bundle below a folder. A partial one may have been replaced by a wider or the full one, whose beginning it
 * is; undefined when there is none of at least this width.
 */
export async function findTile(
  folder: string,
  { pathOf, width, bytesMax }: { pathOf: (width: number) => string; width: number; bytesMax: number },
): Promise<{ bytes: Buffer; path: string; width: number } | undefined> {
  const widths = [width, tileWidth, ...(await widerThan(folder, pathOf, width))];
  for (const candidate of new Set(widths)) {
    const path = pathOf(candidate);
    // oxlint-disable-next-line no-await-in-loop -- the first that is there
    const bytes = await readIfThere(join(folder, path), bytesMax);
    if (bytes !== undefined) return { bytes, path, width: candidate };
  }
  return undefined;
}

async function widerThan(folder: string, pathOf: (width: number) => string, width: number): Promise<number[]> {
  if (width === tileWidth) return [];
  const names = await readdir(join(folder, dirname(pathOf(width)))).catch(() => []);
  return names
    .map(Number)
    .filter((found) => Number.isInteger(found) && found > width && found < tileWidth)
    .toSorted((left, right) => left - right);
}
