import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '@boardwire/test-kit';
import fc from 'fast-check';
import {
  decodeEntryBundle,
  encodeEntryBundle,
  entryBundlePath,
  formatTlogProof,
  NoteError,
  parseTilePath,
  parseTlogProof,
  tilePath,
} from '../src/index.ts';

const { seed } = seededRandom();

describe('a tlog-proof', () => {
  // The example of c2sp.org/tlog-proof; its signatures are abridged there, and its extra data is not base64.
  const path = [
    'gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=',
    'B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=',
    'EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=',
    'RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=',
    'AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=',
  ];
  const checkpoint = 'example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n\u2014 signature\n';
  const example = `c2sp.org/tlog-proof@v1\nindex 73894\n${path.join('\n')}\n\n${checkpoint}`;

  test('as the specification shows it is read and written', () => {
    const read = parseTlogProof(example);
    expect(read.index).toBe(73_894);
    expect(read.proof.map((hash) => hash.toString('base64'))).toEqual(path);
    expect(read.checkpoint).toBe(checkpoint);
    expect(formatTlogProof(read)).toBe(example);
  });

  test('of a tree of one leaf has no path', () => {
    const text = formatTlogProof({ index: 0, proof: [], checkpoint });
    expect(text).toBe(`c2sp.org/tlog-proof@v1\nindex 0\n\n${checkpoint}`);
    expect(parseTlogProof(text)).toEqual({ index: 0, proof: [], checkpoint });
  });

  test('of anything comes back', () => {
    const hashes = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 64 });
    const extras = fc.option(fc.uint8Array(), { nil: undefined });
    fc.assert(
      fc.property(fc.maxSafeNat(), hashes, extras, (index, proof, extra) => {
        const whole = {
          index,
          proof: proof.map((hash) => Buffer.from(hash)),
          checkpoint,
          ...(extra === undefined ? {} : { extra: Buffer.from(extra) }),
        };
        expect(parseTlogProof(formatTlogProof(whole))).toEqual(whole);
      }),
      { seed },
    );
  });

  test.each([
    ['another version', example.replace('@v1', '@v2')],
    ['no blank line', example.replace('\n\n', '\n')],
    ['no index', example.replace('index 73894\n', '')],
    ['an index with a leading zero', example.replace('73894', '073894')],
    ['a negative index', example.replace('73894', '-1')],
    ['an index beyond what is exact', example.replace('73894', '9007199254740993')],
    ['a short hash', example.replace(path[0]!, 'AAAA')],
    ['another spelling of a hash', example.replace('cXmA=', 'cXmB=')],
    ['extra data that is not base64', example.replace('index', 'extra ?\nindex')],
    ['sixty-five hashes', example.replace(path[0]!, `${`${path[0]!}\n`.repeat(60)}${path[0]!}`)],
    ['nothing', ''],
  ])('with %s is refused', (_, text) => {
    expect(() => parseTlogProof(text)).toThrow(NoteError);
  });

  test('is not written for what is no index or no hash', () => {
    expect(() => formatTlogProof({ index: -1, proof: [], checkpoint })).toThrow(NoteError);
    expect(() => formatTlogProof({ index: 0, proof: [Buffer.alloc(31)], checkpoint })).toThrow(NoteError);
  });
});

describe('a bundle of entries', () => {
  test('is each record after its length in two bytes', () => {
    const bundle = encodeEntryBundle([Buffer.from('ab'), Buffer.alloc(0), Buffer.alloc(0x102, 7)]);
    expect(bundle.subarray(0, 8).toString('hex')).toBe('0002616200000102');
    expect(decodeEntryBundle(bundle)).toEqual([Buffer.from('ab'), Buffer.alloc(0), Buffer.alloc(0x102, 7)]);
    expect(decodeEntryBundle(new Uint8Array())).toEqual([]);
  });

  test('of anything comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 }), (records) => {
        expect(decodeEntryBundle(encodeEntryBundle(records))).toEqual(records.map((record) => Buffer.from(record)));
      }),
      { seed },
    );
  });

  test('that is cut anywhere but between records, or holds too many, is refused', () => {
    const bundle = encodeEntryBundle([Buffer.from('abc'), Buffer.from('de')]);
    for (let length = 1; length < bundle.length; length += 1) {
      if (length !== 5) expect(() => decodeEntryBundle(bundle.subarray(0, length))).toThrow(RangeError);
    }
    expect(decodeEntryBundle(Buffer.alloc(2 * 256))).toHaveLength(256);
    expect(() => decodeEntryBundle(Buffer.alloc(2 * 257))).toThrow(RangeError);
    expect(() => encodeEntryBundle(Array.from({ length: 257 }, () => Buffer.alloc(1)))).toThrow(RangeError);
    expect(() => encodeEntryBundle([Buffer.alloc(0x10000)])).toThrow(RangeError);
  });

  test('any bytes are decoded or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        try {
          expect(encodeEntryBundle(decodeEntryBundle(bytes))).toEqual(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { seed },
    );
  });
});

describe('paths', () => {
  test('of bundles are those of tiles with `entries` for the level', () => {
    expect(entryBundlePath(1_234_067)).toBe('tile/entries/x001/x234/067');
    expect(entryBundlePath(0, 17)).toBe('tile/entries/000.p/17');
  });

  test('are read back', () => {
    const levels = fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const));
    fc.assert(
      fc.property(levels, fc.maxSafeNat(), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
        const path = level === 'entries' ? entryBundlePath(index, width) : tilePath({ level, index }, width);
        expect(parseTilePath(path)).toEqual({ level, index, width });
      }),
      { seed },
    );
  });

  test.each([
    'tile/64/000',
    'tile/00/000',
    'tile/0/0',
    'tile/0/x000/001',
    'tile/0/x001',
    'tile/0/001/002',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/007',
    'tile/-1/000',
    'tile/0/../000',
    'tile/data/000',
    '/tile/0/000',
    'tile/0/x999/x999/x999/x999/x999/x999/999',
  ])('%s is none', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
});
