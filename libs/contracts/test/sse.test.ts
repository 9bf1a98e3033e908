import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { reservedEventNames, sseBlock, sseComment, sseEventName, sseHeartbeat } from '../src/index.ts';
import { readEventStream, type ReadEvent } from './read-event-stream.ts';
import { seed } from './seed.ts';
import { vectors } from './vectors.ts';

type Block = Parameters<typeof sseBlock>[0];
const blocks = vectors<{
  encode: { block: Block; text: string }[];
  refused: Block[];
  names: { type: string; name: string }[];
  parse: { what: string; stream: string; events: ReadEvent[]; lastEventId: string }[];
}>('sse-blocks');

describe('a block', () => {
  test.each(blocks.encode)('of $block is $text', ({ block, text }) => expect(sseBlock(block)).toBe(text));
  test.each(blocks.refused)('refuses %j', (block) => expect(() => sseBlock(block)).toThrow(RangeError));

  test('reaches an independent reader whole, whatever is in it', () => {
    const line = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll(/[\p{Cc}]/gu, '.'));
    const block = fc.record({
      id: line,
      event: line.filter((name) => name !== ''),
      data: fc.string({
        unit: fc.oneof(fc.constantFrom('\r', '\n', ':', ' ', '\u2028'), fc.string({ unit: 'binary' })),
      }),
    });
    fc.assert(
      fc.property(fc.array(block, { maxLength: 5 }), (all) => {
        const { events, lastEventId } = readEventStream(all.map((one) => sseBlock(one)).join(''));
        const expected = all.map(({ id, event, data }) => ({
          id,
          type: event,
          data: data.replaceAll(/\r\n|\r/g, '\n'),
        }));
        expect(events).toEqual(expected);
        expect(lastEventId).toBe(expected.at(-1)?.id ?? '');
      }),
      { seed, numRuns: 1_000 },
    );
  });
});

describe('a reader', () => {
  test.each(blocks.parse)('knows $what', ({ stream, events, lastEventId }) => {
    expect(readEventStream(stream)).toEqual({ events, lastEventId });
  });
});

test('a heartbeat moves the cursor and fires nothing', () => {
  const stream = sseHeartbeat('abcdefgh-9', new Date('2026-03-01T12:00:00Z'));
  expect(readEventStream(stream)).toEqual({ events: [], lastEventId: 'abcdefgh-9' });
  expect(stream).toContain(': 2026-03-01T12:00:00.000Z\n');
});

test('a comment stays one', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('\r', '\n', 'd', 'ata: x', ':') }), (text) => {
      expect(readEventStream(sseComment(text)).events).toEqual([]);
    }),
    { seed },
  );
});

describe('a type as event name', () => {
  test.each(blocks.names)('$type is $name', ({ type, name }) => expect(sseEventName(type)).toBe(name));

  test('is never one of the server’s own', () => {
    for (const name of reservedEventNames) expect(reservedEventNames).not.toContain(sseEventName(name));
  });
});
