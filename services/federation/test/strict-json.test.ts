import { seededRandom } from '@boardwire/test-kit';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseStrictJson, StrictJsonError } from '../src/hop/strict-json.ts';

const seed = seededRandom().seed;
const numRuns = process.env['BOARDWIRE_TEST_TIER'] === 'long' ? 20_000 : 500;
const parse = (text: string) => parseStrictJson(Buffer.from(text));
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('strict JSON', () => {
  test.each<[string, string | Uint8Array]>([
    ['a name twice', '{"a":1,"a":1}'],
    ['a name twice, once escaped', String.raw`{"a":1,"\u0061":2}`],
    ['a name twice, deep inside', '[{"b":{"a":1,"c":2,"a":3}}]'],
    ['a lone high surrogate', String.raw`"\ud800"`],
    ['a lone low surrogate in a name', String.raw`{"\udc00":1}`],
    ['surrogates in the wrong order', String.raw`"\udc00\ud800"`],
    ['__proto__', '{"__proto__":{"a":1}}'],
    ['17 levels', nested(17)],
    ['a hundred thousand levels', '['.repeat(100_000)],
    ['a number beyond a double', '1e999'],
    ['a byte order mark', '\uFEFF{}'],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['a surrogate as UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ['an overlong slash', Uint8Array.of(0x22, 0xc0, 0xaf, 0x22)],
    ['nothing', ''],
    ['two values', '1 2'],
    ['a comma too many', '[1,]'],
    ['a comma too many in an object', '{"a":1,}'],
    ['a leading zero', '01'],
    ['a plus sign', '+1'],
    ['a control character in a string', '"\n"'],
    ['a comment', '1 // one'],
    ['a blank of other alphabets', '\u00A01'],
    ['NaN', 'NaN'],
    ['an unfinished string', '"abc'],
  ])('refuses %s', (_what, bytes) => {
    expect(() => (typeof bytes === 'string' ? parse(bytes) : parseStrictJson(bytes))).toThrow(StrictJsonError);
  });

  test('takes sixteen levels, pairs of surrogates and blanks', () => {
    expect(parse(nested(16))).toEqual(JSON.parse(nested(16)));
    expect(parse(String.raw`"\ud83d\ude00"`)).toBe('😀');
    expect(parse(' \r\n\t{ "a" : [ 1 , -0.5e3 , true , null ] } ')).toEqual({ a: [1, -500, true, null] });
    expect(parse('[[],[],{"a":[]},{"a":[]}]')).toEqual([[], [], { a: [] }, { a: [] }]);
  });

  test('reads what JSON.parse reads', () => {
    const values = fc.json({ maxDepth: 8, stringUnit: 'grapheme' }).filter((text) => !text.includes('__proto__'));
    fc.assert(
      fc.property(values, (text) => expect(parse(text)).toEqual(JSON.parse(text))),
      { numRuns, seed },
    );
  });

  test('never takes what JSON.parse refuses', () => {
    const spoilt = fc.tuple(fc.json(), fc.nat(), fc.constantFrom('"', ',', '{', ']', '\\', '0', ' ', ':', 'e', '-'));
    fc.assert(
      fc.property(spoilt, ([text, place, character]) => {
        const at = place % (text.length + 1);
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        expect(isTaken(changed, (json) => JSON.parse(json)) || !isTaken(changed, parse)).toBe(true);
      }),
      { numRuns, seed },
    );
  });
});

function isTaken(text: string, read: (text: string) => unknown): boolean {
  try {
    read(text);
    return true;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof StrictJsonError)) throw error;
    return false;
  }
}
