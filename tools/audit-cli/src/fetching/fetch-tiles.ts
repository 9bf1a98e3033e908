import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  entryBundlePath,
  fullTiles,
  hashBytes,
  recordBytesMax,
  tilePath,
  tileWidth,
  widthOfTile,
  type Checkpoint,
} from '@boardwire/signing';
import { CannotTell, Refuted } from '../verdict.ts';
import type { FetchInto } from './fetch-checkpoint.ts';
import { saveFile } from './save-file.ts';

const atOnce = 6;
const progressMs = 1_000;
const bundleBytesMax = tileWidth * (2 + recordBytesMax);

interface Wanted {
  path: string;
  /** Of hash tiles; bundles have any. */
  bytes?: number;
}

/** All tiles of a tree, but those that are there already: full ones never change, so a broken fetch goes on. */
export async function fetchTiles(into: FetchInto, { size }: Checkpoint): Promise<number> {
  return fetchAll(into, hashTiles(size), 'tiles');
}

/** The records themselves, in bundles of 256. */
export async function fetchBundles(into: FetchInto, { size }: Checkpoint): Promise<number> {
  return fetchAll(into, bundles(size), 'bundles of entries');
}

function* hashTiles(size: number): Generator<Wanted> {
  for (let level = 0; tileWidth ** level <= size; level += 1) {
    const full = fullTiles(level, size);
    for (let index = 0; index < full; index += 1) {
      yield { path: tilePath({ level, index }), bytes: tileWidth * hashBytes };
    }
    const width = widthOfTile({ level, index: full }, size);
    if (width > 0) yield { path: tilePath({ level, index: full }, width), bytes: width * hashBytes };
  }
}

function* bundles(size: number): Generator<Wanted> {
  const full = fullTiles(0, size);
  for (let index = 0; index < full; index += 1) yield { path: entryBundlePath(index) };
  const width = widthOfTile({ level: 0, index: full }, size);
  if (width > 0) yield { path: entryBundlePath(full, width) };
}

/** A few at a time from one list, with a line of progress each second. */
async function fetchAll(into: FetchInto, wanted: Generator<Wanted>, title: string): Promise<number> {
  let [fetched, there, toldAt] = [0, 0, performance.now()];
  const work = async () => {
    // The list ends for all of them where one fails: the first to fail leaves it.
    for (const tile of wanted) {
      // oxlint-disable-next-line no-await-in-loop -- several loops share the list
      if (await isThere(into.folder, tile)) there += 1;
      else {
        // oxlint-disable-next-line no-await-in-loop
        await fetchOne(into, tile);
        fetched += 1;
      }
      if (performance.now() - toldAt < progressMs) continue;
      toldAt = performance.now();
      into.report.progress(`${title}: ${fetched} fetched, ${there} there already`);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, work));
  const failed = ended.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason as Error;
  into.report.shown(`${title}: ${fetched} fetched, ${there} were there`);
  return fetched;
}

async function fetchOne({ site, folder }: FetchInto, { path, bytes }: Wanted): Promise<void> {
  const answer = await site.get(path, bytes ?? bundleBytesMax);
  if (answer === undefined) throw new CannotTell(`the site has no ${path} (404)`);
  if (bytes !== undefined && answer.length !== bytes) {
    throw new Refuted(`${path} has ${answer.length} bytes, and a tile of this width has ${bytes}`);
  }
  await saveFile(join(folder, path), answer);
}

async function isThere(folder: string, { path, bytes }: Wanted): Promise<boolean> {
  const found = await stat(join(folder, path)).catch(() => undefined);
  return found !== undefined && (bytes === undefined || found.size === bytes);
}
