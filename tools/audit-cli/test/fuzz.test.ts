import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { seededRandom } from '@boardwire/test-kit';
import fc from 'fast-check';
import { cli } from './run-cli.ts';
import { save, WrittenLog } from './written-log.ts';

// Files of strangers: whatever is in them, the answer is a verdict, never a crash, and never “verified”.
const random = seededRandom();
const { seed } = random;
const isLong = process.env['BOARDWIRE_TEST_TIER'] === 'long';
const log = new WrittenLog().fill(300);
const eventSeq = 152;
const day = log.entries[eventSeq]!.day;
let folder: string;
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boardwire-fuzz-'));
  await log.write(folder);
  await log.writeEntry(folder, eventSeq);
  await save(at('kept'), log.note(200));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const entry = (ending: string) => at('entries', `${eventSeq}.${ending}`);
const trusted = () => ['--key', at('key')];
const tiled = () => [...trusted(), '--checkpoint', at('checkpoint'), '--tiles', folder];

/** A command, and the files that it reads whole. */
const readings: [string, () => string[], string[]][] = [
  ['checkpoint', () => ['verify', 'checkpoint', at('checkpoint'), ...trusted()], ['checkpoint', 'key']],
  [
    'consistency',
    () => ['verify', 'consistency', at('kept'), at('checkpoint'), ...trusted(), '--tiles', folder],
    ['kept', 'tile/0/000', 'tile/0/001.p/44', 'tile/1/000.p/1'],
  ],
  [
    'entry',
    () => ['verify', 'entry', entry('json'), ...trusted(), '--proof', entry('tlog-proof')],
    [`entries/${eventSeq}.tlog-proof`],
  ],
  [
    'JSON proof',
    () => ['verify', 'entry', entry('json'), ...trusted(), '--proof', entry('proof.json')],
    [`entries/${eventSeq}.proof.json`],
  ],
  [
    'event',
    () => [
      'verify',
      'event',
      entry('event.json'),
      ...trusted(),
      '--entry',
      entry('json'),
      '--proof',
      entry('tlog-proof'),
      '--disclosure',
      entry('disclosure.json'),
    ],
    [`entries/${eventSeq}.event.json`, `entries/${eventSeq}.json`, `entries/${eventSeq}.disclosure.json`],
  ],
  ['day', () => ['verify', 'day', at('days', `${day}.jsonl`), ...tiled()], [`days/${day}.jsonl`]],
  ['range', () => ['verify', 'range', at('export.jsonl'), ...tiled(), '--from', '0', '--to', '299'], ['export.jsonl']],
  [
    'complete',
    () => ['verify', 'complete', ...tiled(), '--health', at('health.json')],
    ['tile/entries/000', 'tile/entries/001.p/44', 'health.json'],
  ],
];
const cases = readings.flatMap(([name, args, paths]) =>
  paths.map((path): [string, string, () => string[]] => [name, path, args]),
);

/** Puts other bytes in a file's place for the time of one command. */
async function withBytes(
  path: string,
  bytes: Uint8Array,
  args: readonly string[],
): Promise<{ code: number; err: string }> {
  const before = await readFile(path);
  await writeFile(path, bytes);
  try {
    return await cli(...args);
  } finally {
    await writeFile(path, before);
  }
}

describe('any bytes', () => {
  test.each(cases)('%s: in place of %s they are refused', async (_, path, args) => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2_000 }),
      fc.json().map((json) => Buffer.from(json)),
      fc.json().map((json) => Buffer.from(`${json}\n{"trailer":${json}}\n`)),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(`${text}\n1\n\n\u2014 ${text} AAAA\n`)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        const { code, err } = await withBytes(at(path), content, args());
        expect({ code, err }).not.toMatchObject({ code: 0 });
        expect(err).not.toContain('unforeseen');
      }),
      { seed, numRuns: isLong ? 500 : 12 },
    );
  });
});

describe('one byte changed', () => {
  // Not proven by anything, and told so: what a site says of its health, and numbers in a trailer beside the lines.
  const isFree = (path: string, bytes: Buffer, place: number) =>
    path === 'health.json' || (path.endsWith('.jsonl') && place > bytes.lastIndexOf('\n{"trailer"', -2));

  test.each(cases)('%s: anywhere in %s, it is never verified unless it means the same', async (_, path, args) => {
    const bytes = await readFile(at(path));
    const draw = random.fork();
    for (let run = 0; run < (isLong ? 1_000 : 20); run += 1) {
      const place = draw.integer(0, bytes.length - 1);
      if (isFree(path, bytes, place)) continue;
      const changed = Buffer.from(bytes);
      changed[place] = changed[place]! ^ (1 << draw.integer(0, 7));
      const { code, err } = await withBytes(at(path), changed, args());
      expect(err).not.toContain('unforeseen');
      if (code === 0) expect(meaningOf(changed, path)).toEqual(meaningOf(bytes, path));
    }
  });
});

describe('huge files', () => {
  test('a checkpoint of two gigabytes is not read', async () => {
    await writeFile(at('huge'), '');
    await truncate(at('huge'), 2 ** 31);
    const { code, err } = await cli('verify', 'checkpoint', at('huge'), ...trusted());
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('larger than') });
  });

  test('a folder and a device are no files', async () => {
    expect((await cli('verify', 'checkpoint', folder, ...trusted())).code).toBe(2);
    expect((await cli('verify', 'range', '/dev/zero', ...tiled())).code).toBe(2);
  });

  test('a line without an end is left before it fills the memory, packed or not', async () => {
    const endless = () =>
      Readable.from(
        (function* () {
          for (let part = 0; part < 400; part += 1) yield Buffer.alloc(1 << 20, 0x20);
        })(),
      );
    await pipeline(endless(), createGzip(), createWriteStream(at('bomb.jsonl.gz')));
    const before = process.memoryUsage().rss;
    const { code, err } = await cli('verify', 'range', at('bomb.jsonl.gz'), ...tiled());
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('no entry is that long') });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  }, 60_000);

  test('a log of many entries is read by the line and by the bundle: a heap of 24 MiB is enough', async () => {
    const large = await mkdtemp(join(tmpdir(), 'boardwire-large-'));
    try {
      await new WrittenLog().fill(isLong ? 200_000 : 24_000).write(large);
      expect((await stat(join(large, 'export.jsonl'))).size).toBeGreaterThan(24 * 2 ** 20);
      const own = ['--key', join(large, 'key'), '--checkpoint', join(large, 'checkpoint'), '--tiles', large];
      expect(await inSmallHeap('verify', 'range', join(large, 'export.jsonl'), ...own)).toMatch(/^VERIFIED/m);
      expect(await inSmallHeap('verify', 'complete', ...own)).toMatch(/^VERIFIED/m);
    } finally {
      await rm(large, { recursive: true, force: true });
    }
  }, 300_000);
});

/** The built program as a child process. */
async function inSmallHeap(...args: string[]): Promise<string> {
  const bin = join(import.meta.dirname, '..', 'bin', 'boardwire-audit.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=24', bin, ...args]);
  return stdout;
}

const repeated = ['id', 'source', 'author', 'origin', 'time', 'subject', 'type', 'board', 'class', 'cursor', 'data'];

/** What a verdict is about: a display name, for one, is in no record. */
function meaningOf(bytes: Buffer, path: string): unknown {
  if (path.endsWith('.proof.json')) {
    const { seq, index = seq, size, proof, checkpoint } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
    // In the first epoch of a log a proof may come without its index.
    return [index, size, proof, checkpoint];
  }
  if (!path.endsWith('.event.json') && path !== `entries/${eventSeq}.json`) return bytes.toString('utf8').trim();
  const fields = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
  if (path.endsWith('.event.json')) {
    // An event may come without its cursor, but not with another.
    const cursor = fields['cursor'] ?? 'aaaaaaaa-31';
    return repeated.map((name) => (name === 'cursor' ? cursor : fields[name]));
  }
  const { detail, detail_state: _state, ...proven } = fields;
  const known = Object.keys(log.entries[eventSeq]!);
  // A field that isn't there says as little as one that is null.
  const named = Object.entries(proven).filter(([name, value]) => known.includes(name) && value !== null);
  // An entry without its detail says less, and nothing else: the event beside it is held against the record.
  const event = (detail ?? log.entries[eventSeq]!.detail) as Record<string, unknown>;
  return [Object.fromEntries(named), repeated.filter((name) => name !== 'data').map((name) => event[name])];
}
