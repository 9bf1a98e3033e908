import { describe, expect, test } from '@jest/globals';
import { canonicalJson } from '@boardwire/signing';
import fc from 'fast-check';
import { recordTexts } from '../src/reading/record-texts.ts';

const value = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('"', '\\', ',', ':', 'a') }),
  fc.integer(),
  fc.boolean(),
);
const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', 'e'), minLength: 1, maxLength: 4 });

describe('the members of a record', () => {
  test('are what a parser finds, whatever their texts hold', () => {
    fc.assert(
      fc.property(fc.dictionary(name, value, { minKeys: 1 }), (record) => {
        const texts = recordTexts(canonicalJson(record));
        const parsed = Object.fromEntries(
          Object.entries(texts).map(([key, text]) => [key, JSON.parse(text) as unknown]),
        );
        expect(parsed).toEqual({ ...record });
      }),
      { numRuns: 2_000 },
    );
  });

  test('are the same whatever was read before: records alike are read by what the last ones looked like', () => {
    const names = fc.constantFrom<readonly string[]>(
      ['actor', 'at', 'kind', 'seq'],
      ['actor', 'kind', 'outcome'],
      ['v'],
      [],
    );
    const alike = names.chain((of) =>
      fc.array(fc.tuple(...of.map(() => value)), { minLength: 1, maxLength: 5 }).map((rows) => ({ of, rows })),
    );
    fc.assert(
      fc.property(fc.array(alike, { maxLength: 20 }), (runs) => {
        for (const { of, rows } of runs) {
          for (const row of rows) {
            const record = Object.fromEntries(of.map((member, at) => [member, row[at]]));
            const texts = Object.entries(record).map(([member, is]) => [member, JSON.stringify(is)]);
            expect(Object.entries(recordTexts(JSON.stringify(record)))).toEqual(texts);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each(['{"a":"b', '{"a', '{"a":"b\\"}'])('of what is no record are refused: %s', (text) => {
    expect(() => recordTexts(text)).toThrow(SyntaxError);
  });
});
