import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EventStreamParser } from '../src/event-stream-parser.ts';

type Seen = { message: string; type: string; id: string | undefined } | { idOnly: string } | { retry: number };

function parse(chunks: readonly (string | Uint8Array)[], blockCharactersMax = 1_000_000): Seen[] {
  const seen: Seen[] = [];
  const parser = new EventStreamParser(
    {
      onMessage: ({ data, type, id }) => seen.push({ message: data, type, id }),
      onIdOnly: (idOnly) => seen.push({ idOnly }),
      onRetry: (retry) => seen.push({ retry }),
    },
    { blockCharactersMax },
  );
  for (const chunk of chunks) parser.push(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk);
  return seen;
}

const message = (data: string, type = 'message', id?: string): Seen => ({ message: data, type, id });

describe('the event stream format (WHATWG HTML 9.2.6)', () => {
  const cases: [string, string, Seen[]][] = [
    ['joins several data lines with line feeds', 'data: YHOO\ndata: +2\ndata: 10\n\n', [message('YHOO\n+2\n10')]],
    [
      'takes off one space after the colon and no more',
      'data:test\n\ndata: test\n\ndata:  test\n\n',
      [message('test'), message('test'), message(' test')],
    ],
    [
      'dispatches empty data, and one line feed for two empty lines',
      'data\n\ndata\ndata\n\ndata:',
      [message(''), message('\n')],
    ],
    ['discards a last block without its blank line', 'data: one\n\ndata: lost', [message('one')]],
    ['ignores comments', ': a comment\n:\ndata: x\n: y\n\n', [message('x')]],
    [
      'ignores unknown fields and fields that only look like known ones',
      'dato: x\nData: y\n data: z\ndata: ok\n\n',
      [message('ok')],
    ],
    [
      'ends lines at CR, LF and CRLF in any mixture',
      'data: a\rdata: b\r\ndata: c\n\rdata: d\r\r',
      [message('a\nb\nc'), message('d')],
    ],
    ['takes off a byte order mark at the very start', '\uFEFFdata: x\n\n', [message('x')]],
    ['takes off only one byte order mark', '\uFEFF\uFEFFdata: x\n\ndata: y\n\n', [message('y')]],
    ['keeps a byte order mark inside of data', 'data: \uFEFFx\n\n', [message('\uFEFFx')]],
    ['gives the id of the block itself', 'id: 1\ndata: a\n\ndata: b\n\n', [message('a', 'message', '1'), message('b')]],
    ['gives an empty id as one', 'id\ndata: a\n\n', [message('a', 'message', '')]],
    ['ignores an id with NUL', 'id: 1\nid: 2\u00003\ndata: a\n\n', [message('a', 'message', '1')]],
    ['tells of a block of an id alone and dispatches nothing', 'id: 7\n\n: 2026\n\n', [{ idOnly: '7' }]],
    [
      'names events, and forgets the name after the block',
      'event: add\ndata: 1\n\ndata: 2\n\n',
      [message('1', 'add'), message('2')],
    ],
    ['takes an empty event name for none', 'event:\ndata: 1\n\n', [message('1')]],
    ['forgets the name of a block without data', 'event: add\n\ndata: 2\n\n', [message('2')]],
    ['takes a retry of digits', 'retry: 1500\n\n', [{ retry: 1500 }]],
    ['ignores a retry that is not of digits alone', 'retry: 1e3\nretry: -5\nretry: 1.5\nretry:\nretry: ٣\n\n', []],
    ['keeps colons in values', 'data: a:b: c\n\n', [message('a:b: c')]],
  ];

  test.each(cases)('%s', (_, text, expected) => {
    expect(parse([text])).toEqual(expected);
  });

  test('reads the same however the bytes are cut', () => {
    const text = cases.map(([, each]) => `${each}\n\n`).join('') + 'data: héllo 你好 🎉\r\n\r\n';
    const bytes = new TextEncoder().encode(text);
    const whole = parse([bytes]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 60 }), (cuts) => {
        const places = [0, ...cuts.sort((one, other) => one - other), bytes.length];
        const chunks = places.slice(1).map((to, at) => bytes.subarray(places[at], to));
        expect(parse(chunks)).toEqual(whole);
      }),
    );
  });

  test('reads the same one byte at a time', () => {
    const bytes = new TextEncoder().encode(cases.map(([, each]) => `${each}\n\n`).join(''));
    expect(parse([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(parse([bytes]));
  });

  test('refuses a block larger than its bound, in one line or in many', () => {
    expect(() => parse(['data: ', 'x'.repeat(200)], 100)).toThrow('bound');
    expect(() => parse(['data: xxxxxxxxx\n'.repeat(20)], 100)).toThrow('bound');
    expect(parse(['data: xxxxxxxxx\n\n'.repeat(20)], 100)).toHaveLength(20);
  });
});
