import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeToken,
  encodeToken,
  intersectFilters,
  intersectFilterSets,
  isFilter,
  isSubject,
  matchesFilter,
} from '../src/index.ts';
import { seed } from './seed.ts';
import { vectors, type Invalid } from './vectors.ts';

const subjects = vectors<{ valid: string[]; invalid: (Invalid & { subject: string })[] }>('subjects');
const filters = vectors<{ valid: string[]; invalid: (Invalid & { filter: string })[] }>('filters');
const tokens = vectors<{
  roundTrips: { text: string; token: string }[];
  invalid: (Invalid & { token: string })[];
}>('tokens');
const matches = vectors<{
  matches: { filter: string; subject: string; matches: boolean }[];
  intersections: { left: string; right: string; both: string | null }[];
}>('matches');

/** Few tokens, so that random filters and subjects often meet. */
const token = fc.constantFrom('a', 'b', 'c', '%2A');
const subject = fc.array(token, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'));
const filter = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { maxLength: 5 }), fc.boolean())
  .map(([parts, isOpen]) => (isOpen || parts.length === 0 ? [...parts, '>'] : parts).join('.'));

/** An independent reading of the grammar. */
function naiveMatches(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll('%', '\\%')
    .split('.')
    .map((part) => (part === '*' ? '[^.]+' : part === '>' ? '.+' : part))
    .join('\\.');
  return new RegExp(`^${source}$`).test(text);
}

describe('a subject', () => {
  test.each(subjects.valid)('takes %j', (text) => {
    expect(isSubject(text)).toBe(true);
    expect(isFilter(text)).toBe(true);
  });
  test.each(subjects.invalid)('refuses $why: $subject', ({ subject: text }) => expect(isSubject(text)).toBe(false));
});

describe('a filter', () => {
  test.each(filters.valid)('takes %j', (text) => expect(isFilter(text)).toBe(true));
  test.each(filters.invalid)('refuses $why: $filter', ({ filter: text }) => expect(isFilter(text)).toBe(false));
});

describe('a token', () => {
  test.each(tokens.roundTrips)('of $text is $token', ({ text, token: encoded }) => {
    expect(encodeToken(text)).toBe(encoded);
    expect(decodeToken(encoded)).toBe(text);
  });
  test.each(tokens.invalid)('refuses $why: $token', ({ token: text }) => expect(decodeToken(text)).toBeUndefined());

  test('carries any text there and back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), (text) => {
        const encoded = encodeToken(text);
        expect(encoded).not.toContain('.');
        expect(decodeToken(encoded)).toBe(text);
        if (encoded.length <= 255) expect(isSubject(encoded)).toBe(true);
      }),
      { seed, numRuns: 2_000 },
    );
  });

  test('is the only one of its text', () => {
    const anything = fc.array(fc.oneof(fc.constantFrom('a', '~', '%'), fc.stringMatching(/^%[0-9A-F]{2}$/)), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(anything, (parts) => {
        const decoded = decodeToken(parts.join(''));
        if (decoded !== undefined) expect(encodeToken(decoded)).toBe(parts.join(''));
      }),
      { seed, numRuns: 5_000 },
    );
  });
});

describe('matching', () => {
  test.each(matches.matches)('$filter and $subject: $matches', (one) => {
    expect(matchesFilter(one.filter, one.subject)).toBe(one.matches);
  });

  test('agrees with a regular expression', () => {
    fc.assert(
      fc.property(filter, subject, (pattern, text) => {
        expect(matchesFilter(pattern, text)).toBe(naiveMatches(pattern, text));
      }),
      { seed, numRuns: 5_000 },
    );
  });
});

describe('an intersection', () => {
  test.each(matches.intersections)('of $left and $right is $both', ({ left, right, both }) => {
    expect(intersectFilters(left, right)).toBe(both ?? undefined);
    expect(intersectFilters(right, left)).toBe(both ?? undefined);
  });

  test('matches what both match, and nothing else', () => {
    fc.assert(
      fc.property(filter, filter, subject, (left, right, text) => {
        const both = intersectFilters(left, right);
        const expected = naiveMatches(left, text) && naiveMatches(right, text);
        expect(both !== undefined && matchesFilter(both, text)).toBe(expected);
        if (both !== undefined) expect(isFilter(both)).toBe(true);
      }),
      { seed, numRuns: 10_000 },
    );
  });

  test('of sets is what one of each allows', () => {
    const set = fc.array(filter, { maxLength: 4 });
    const anyMatches = (all: readonly string[], text: string) => all.some((one) => matchesFilter(one, text));
    fc.assert(
      fc.property(set, set, subject, (wanted, granted, text) => {
        const left = intersectFilterSets(wanted, granted);
        expect(new Set(left).size).toBe(left.length);
        expect(anyMatches(left, text)).toBe(anyMatches(wanted, text) && anyMatches(granted, text));
      }),
      { seed, numRuns: 3_000 },
    );
  });
});
