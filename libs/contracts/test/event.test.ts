import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  cloudEventSchema,
  contentOf,
  eventJson,
  formatCursor,
  numericEventId,
  parseCursor,
  plainEventSchema,
  storedEventSchema,
  timeSchema,
  withCursor,
} from '../src/index.ts';
import { seed } from './seed.ts';
import { vectors, type Invalid } from './vectors.ts';

type Refused = Invalid & { event: unknown };
const events = vectors<{
  plain: { valid: unknown[]; invalid: Refused[] };
  structured: { valid: unknown[]; invalid: Refused[] };
  binary: { valid: { event: unknown }[] };
  batch: { valid: unknown[][] };
  stored: { event: Record<string, unknown>; cursor: string }[];
  sameContent: { left: Parameters<typeof contentOf>[0]; right: Parameters<typeof contentOf>[0]; same: boolean }[];
}>('events');
const cursors = vectors<{
  valid: { text: string; epoch: string; seq: number }[];
  invalid: (Invalid & { text: string })[];
}>('cursors');

describe('a plain event', () => {
  test.each(events.plain.valid)('takes %j', (event) => expect(plainEventSchema.parse(event)).toEqual(event));
  test.each(events.plain.invalid)('refuses $why', ({ event }) => {
    expect(plainEventSchema.safeParse(event).success).toBe(false);
  });
});

describe('the final bytes of an event', () => {
  test('hold every attribute of any text, and data as it was given', () => {
    const text = fc.string({ unit: 'binary' }).filter((given) => given.isWellFormed());
    const value = fc.option(fc.json(), { nil: '' });
    fc.assert(
      fc.property(text, text, text, value, (id, author, authorname, data) => {
        const plain = { source: '/users/u1', type: 'note', subject: 'a.b' };
        const ours = { time: '2026-01-01T00:00:00Z', board: 'events', origin: 'site1', class: 'ephemeral' } as const;
        const json = eventJson({ id, ...plain, author, authorname }, { ...ours, data });
        const parsed: unknown = JSON.parse(json);
        const content = data === '' ? {} : { datacontenttype: 'application/json', data: JSON.parse(data) as unknown };
        expect(parsed).toEqual({ specversion: '1.0', id, ...plain, ...ours, author, authorname, ...content });
        expect(storedEventSchema.safeParse(parsed).success).toBe(true);
      }),
      { seed },
    );
  });

  test('hold extensions, a schema and base64', () => {
    const given = {
      id: 'e"1',
      source: '/users/u1',
      type: 'note',
      subject: 'a.b',
      datacontenttype: 'image/png',
      dataschema: 'urn:a"b',
      data_base64: 'AAE=',
      author: 'u1',
      authorname: 'ana',
    };
    const ours = { time: '2026-01-01T00:00:00Z', board: 'events', origin: 'site1', class: 'log' } as const;
    const extensions = { mine: 'a"\\b', flag: false, count: -1 };
    const json = eventJson({ ...given, extensions }, { ...ours, data: '' });
    expect(JSON.parse(json)).toEqual({ specversion: '1.0', ...given, ...extensions, ...ours });
  });
});

describe('a CloudEvent', () => {
  const valid = [
    ...events.structured.valid,
    ...events.batch.valid.flat(),
    ...events.binary.valid.map(({ event }) => event),
  ];
  test.each(valid)('takes %j', (event) => expect(cloudEventSchema.parse(event)).toEqual(event));
  test.each(events.structured.invalid)('refuses $why', ({ event }) => {
    expect(cloudEventSchema.safeParse(event).success).toBe(false);
  });
});

describe('a stored event', () => {
  test.each(events.stored)('gets its cursor without being parsed', ({ event, cursor }) => {
    expect(storedEventSchema.parse(event)).toEqual(event);
    const bytes = JSON.stringify(event);
    const item = withCursor(cursor, bytes);
    expect(JSON.parse(item)).toEqual({ cursor, ...event });
    expect(item.endsWith(bytes.slice(1))).toBe(true);
  });

  test('keeps whatever its data holds beside the cursor', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (data, seq) => {
        const stored = JSON.stringify({ specversion: '1.0', data });
        const cursor = formatCursor('abcdefgh', seq);
        expect(JSON.parse(withCursor(cursor, stored))).toEqual({ cursor, ...JSON.parse(stored) });
      }),
      { seed },
    );
  });
});

describe('content', () => {
  test.each(events.sameContent)('of $left and $right: same $same', ({ left, right, same }) => {
    expect(contentOf(left) === contentOf(right)).toBe(same);
  });

  test('is the same for another order of keys, and another for other data', () => {
    const reversed = (value: unknown): unknown => {
      if (typeof value !== 'object' || value === null) return value;
      if (Array.isArray(value)) return value.map(reversed);
      return Object.fromEntries(
        Object.entries(value)
          .map(([key, inner]): [string, unknown] => [key, reversed(inner)])
          .toReversed(),
      );
    };
    const event = (data: unknown) => ({ type: 'a', subject: 'A', data });
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (data, other) => {
        expect(contentOf(event(reversed(data)))).toBe(contentOf(event(data)));
        const [left, right] = [data, other].map((each) => JSON.parse(JSON.stringify(each)) as unknown);
        expect(contentOf(event(left)) === contentOf(event(right))).toBe(isEqual(left, right));
      }),
      { seed, numRuns: 500 },
    );
  });

  test('of events without extensions is what it was before there were any', () => {
    const event = { type: 'a', subject: 'A', data: { b: 1, a: 2 }, datacontenttype: 'application/json', time: 't' };
    expect(contentOf(event)).toBe('["a","A",{"a":2,"b":1},"application/json","t"]');
    expect(contentOf({ type: 'a', subject: 'A' })).toBe('["a","A",null,null,null]');
  });

  test('sees a key that is called __proto__', () => {
    const data = JSON.parse('{"__proto__":{"a":1}}') as unknown;
    expect(contentOf({ type: 'a', subject: 'A', data })).not.toBe(contentOf({ type: 'a', subject: 'A', data: {} }));
  });
});

/** JSON equality: no -0, no undefined, no prototypes. */
function isEqual(left: unknown, right: unknown): boolean {
  try {
    expect(left).toEqual(right);
    return true;
  } catch {
    return false;
  }
}

describe('a cursor', () => {
  test.each(cursors.valid)('reads $text', ({ text, epoch, seq }) => {
    expect(parseCursor(text)).toEqual({ epoch, seq });
    expect(formatCursor(epoch, seq)).toBe(text);
  });
  test.each(cursors.invalid)('refuses $why: $text', ({ text }) => expect(parseCursor(text)).toBeUndefined());

  test('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]{8}$/), fc.maxSafeNat(), (epoch, seq) => {
        expect(parseCursor(formatCursor(epoch, seq))).toEqual({ epoch, seq });
      }),
      { seed },
    );
  });
});

describe('a numeric id', () => {
  test('rises with the seq, and over epochs', () => {
    const place = fc.tuple(fc.nat({ max: 8_191 }), fc.nat({ max: 2 ** 31 - 1 }));
    fc.assert(
      fc.property(place, place, ([ordinal, seq], [otherOrdinal, otherSeq]) => {
        const order = ordinal - otherOrdinal || seq - otherSeq;
        const difference = numericEventId(ordinal, seq) - numericEventId(otherOrdinal, otherSeq);
        expect(Math.sign(difference)).toBe(Math.sign(order));
        expect(Number.isSafeInteger(numericEventId(ordinal, seq))).toBe(true);
      }),
      { seed },
    );
  });

  test.each([
    [-1, 0],
    [8_192, 0],
    [0, -1],
    [0, 2 ** 40],
  ])('of ordinal %d and seq %d is refused', (ordinal, seq) => {
    expect(() => numericEventId(ordinal, seq)).toThrow(RangeError);
  });
});

test('a time is one that dates, JSON and Postgres agree on', () => {
  const from = new Date('0001-01-01T00:00:00Z');
  const to = new Date('9999-12-31T23:59:59.999Z');
  fc.assert(
    fc.property(fc.date({ min: from, max: to, noInvalidDate: true }), (date) => {
      expect(timeSchema.safeParse(date.toISOString()).success).toBe(true);
    }),
    { seed },
  );
});
