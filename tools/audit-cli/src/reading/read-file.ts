import { open, type FileHandle } from 'node:fs/promises';
import { CannotTell, Refuted } from '../verdict.ts';

/** Largest files that are read whole; days and exports are read by the line. */
export const bytesMax = { note: 1_000_000, keys: 64 * 1024, json: 8 * 1024 * 1024 } as const;

/** A file as bytes. Throws CannotTell when it isn't there or is larger than what such a file can be. */
export async function readBytes(path: string, max: number): Promise<Buffer> {
  const bytes = await readIfThere(path, max);
  if (bytes === undefined) throw new CannotTell(`${path}: there is no such file`);
  return bytes;
}

/** {@link readBytes}, or undefined when there is no such file. */
export async function readIfThere(path: string, max: number): Promise<Buffer | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    if (!(await file.stat()).isFile()) throw new CannotTell(`${path} is not a file`);
    // One byte more than allowed, so that a file that grows meanwhile, or a device, can't be taken for one that fits.
    const buffer = Buffer.alloc(max + 1);
    const bytes = await fill(file, buffer);
    if (bytes > max) throw new CannotTell(`${path} is larger than the ${max} bytes that such a file can have`);
    return Buffer.from(buffer.subarray(0, bytes));
  } catch (error) {
    if (error instanceof CannotTell) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new CannotTell(`${path} can't be read (${code ?? (error as Error).message})`, { cause: error });
  } finally {
    await file?.close();
  }
}

/** A file as text. Throws Refuted when it is no UTF-8: none of the formats has other bytes. */
export async function readText(path: string, max: number): Promise<string> {
  return decodeText(await readBytes(path, max), path);
}

export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refuted(`${what} is not UTF-8 text`);
  }
}

/** A file as a JSON object. */
export async function readObject(path: string): Promise<Record<string, unknown>> {
  return parseObject(await readText(path, bytesMax.json), path);
}

export function parseObject(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refuted(`${what} is not JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refuted(`${what} is not a JSON object`);
  return value as Record<string, unknown>;
}

async function fill(file: FileHandle, buffer: Buffer): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
