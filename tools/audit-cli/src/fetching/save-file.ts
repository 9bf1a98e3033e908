import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Writes a file whole or not at all, so that one that was cut is never taken for fetched. */
export async function saveFile(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  const part = `${path}.part`;
  await mkdir(dirname(path), { recursive: true });
  try {
    if (bytes instanceof Uint8Array) await writeFile(part, bytes);
    else await pipeline(bytes, createWriteStream(part));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
