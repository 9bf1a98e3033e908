import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { PassThrough } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CannotTell, Refuted } from '../verdict.ts';

/** Longer than any entry: an event has 64 KiB, and JSON may write each byte with six. */
const lineBytesMax = 4 * 1024 * 1024;
const newline = 0x0a;

/** The lines of a file, without their newlines, in constant memory; gzip is seen by its first bytes. */
export async function* linesOf(path: string): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const bytes of partsOf(path)) {
    let from = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      yield parts.length === 0 ? bytes.subarray(from, end) : Buffer.concat([...parts, bytes.subarray(from, end)]);
      [parts, length, from] = [[], 0, end + 1];
    }
    length += bytes.length - from;
    if (length > lineBytesMax)
      throw new Refuted(`${path} has a line of more than ${lineBytesMax} bytes: no entry is that long`);
    if (from < bytes.length) parts.push(bytes.subarray(from));
  }
  if (length > 0) throw new Refuted(`${path} ends in the middle of a line: it was cut`);
}

async function* partsOf(path: string): AsyncGenerator<Buffer> {
  const through = (await startsAsGzip(path)) ? createGunzip() : new PassThrough();
  const file = createReadStream(path);
  // Its failure is that of the reading, which throws below.
  const done = pipeline(file, through).catch(() => undefined);
  try {
    for await (const part of through) yield part as Buffer;
  } catch (error) {
    throw unreadable(path, error as NodeJS.ErrnoException);
  } finally {
    file.destroy();
    through.destroy();
    await done;
  }
}

function unreadable(path: string, error: NodeJS.ErrnoException): Error {
  if (error.code?.startsWith('Z_') === true) return new Refuted(`${path} is damaged: ${error.message}`);
  return new CannotTell(`${path} can't be read (${error.code ?? error.message})`);
}

async function startsAsGzip(path: string): Promise<boolean> {
  try {
    const file = await open(path);
    try {
      if (!(await file.stat()).isFile()) throw new CannotTell(`${path} is not a file`);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof CannotTell) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new CannotTell(code === 'ENOENT' ? `${path}: there is no such file` : `${path} can't be read (${code})`);
  }
}
