import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { readOptions } from './options.ts';
import { percentile } from './percentile.ts';
import { atLeast, atMost, benchResult } from './result.ts';
import { StreamCounter } from './site/stream-counter.ts';
import { table } from './table.ts';

describe('options', () => {
  const defaults = { seconds: 10, only: 'all' };
  test('are read over their defaults', () => {
    expect(readOptions([], defaults)).toEqual(defaults);
    expect(readOptions(['--seconds', '3', '--only=batch'], defaults)).toEqual({ seconds: 3, only: 'batch' });
  });
  test.each([[['--fast']], [['seconds', '3']], [['--seconds', '0']], [['--seconds']], [['--toString', '1']]])(
    'refuse %j and say what there is',
    (args) => expect(() => readOptions(args, defaults)).toThrow(/There are: --seconds, --only|takes a whole number/),
  );
});

test('a result says what was asked and whether it is met', () => {
  const rows = [
    atLeast('fast', 12_000, 'events/s', 10_000),
    atMost('slow', 9, 'ms', 8, 'a note'),
    { what: 'x', value: 1, unit: '' },
  ];
  const text = table(benchResult('publish', {}, rows, ['mind the machine']));
  expect(text).toMatch(/fast +12,000 events\/s +✔ ≥ 10,000/);
  expect(text).toMatch(/slow +9 ms +✘ ≤ 8 {2}\(a note\)/);
  expect(text).toContain('mind the machine');
});

test('percentiles are of nearest rank', () => {
  expect(percentile([5, 1, 4, 2, 3], 0.5)).toBe(3);
  expect(percentile([1, 2], 0.99)).toBe(2);
  expect(percentile([], 0.5)).toBe(0);
});

describe('the stream counter', () => {
  /** A stream whose bytes come in pieces of this size. */
  async function counted(text: string, pieceBytes: number): Promise<StreamCounter> {
    const write = async (response: ServerResponse): Promise<void> => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        response.write(bytes.subarray(at, at + pieceBytes));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const server = createServer((_request, response) => void write(response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const counter = await StreamCounter.open(`http://127.0.0.1:${port}/`, 'token');
    await counter.hasReached(3, 2_000);
    counter.close();
    server.close();
    return counter;
  }
  const event = (seq: number) => `id: abcdefgh-${seq}\ndata: {"text":"é 👋"}\n\n`;
  const opening = 'retry: 1000\nid: abcdefgh-0\nevent: resumed\ndata: {}\n\n';

  test.each([1, 7, 64, 10_000])('sees each event once in pieces of %d bytes', async (pieceBytes) => {
    const counter = await counted(
      `${opening}${event(1)}id: abcdefgh-1\n\n: time\n\n${event(2)}${event(3)}`,
      pieceBytes,
    );
    expect(counter).toMatchObject({ last: 3, count: 3, gaps: 0 });
  });

  test('tells of a hole and of a reset', async () => {
    const counter = await counted(`${opening}${event(1)}event: reset\ndata: {}\n\n${event(3)}`, 10_000);
    expect(counter).toMatchObject({ last: 3, count: 2, gaps: 2 });
  });
});
