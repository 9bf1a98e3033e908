import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { benchFanout } from './delivery/fanout-bench.ts';
import { assertComplete } from './delivery/measure-round.ts';
import { listOfNumbers } from './delivery/options.ts';
import { mark, payloadBytes, payloadObject, payloadText } from './load/event-payload.ts';
import { LoadGenerator, type LoadReport } from './load/load-generator.ts';
import { pace } from './load/pace.ts';
import { compileNative, findCompiler } from './native/native-programs.ts';
import { commonOptions } from './options.ts';
import { compared } from './report/base.ts';
import { median, ratios, spread } from './report/statistics.ts';
import { plot } from './report/svg.ts';
import { atLeast, atMost, benchResult } from './result.ts';
import { readCpuList } from './rig/cores.ts';
import { assertMayOpen } from './rig/process-usage.ts';
import { StandInBoard } from './rig/stand-in-log.ts';

test('medians, ratios round by round, spreads', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
  expect(ratios([2, 4, 9], [1, 2])).toEqual([2, 2]);
  expect(spread([1.26, 3, 2])).toBe('1.3–3.0');
});

test('options that every bench takes are picked out', () => {
  const { common, rest } = commonOptions(['--quick', '--rounds', '3', '--out', '/tmp/x', '--base=/tmp/y']);
  expect(common).toEqual({ isJson: false, isQuick: true, out: '/tmp/x', base: '/tmp/y' });
  expect(rest).toEqual(['--rounds', '3']);
  expect(() => commonOptions(['--out', '--quick'])).toThrow('--out takes a folder');
  expect(listOfNumbers('1000,9900')).toEqual([1_000, 9_900]);
  expect(() => listOfNumbers('1000,')).toThrow('no list of whole numbers');
});

test('more connections than a process may open files are refused with what to do', () => {
  expect(() => assertMayOpen(10)).not.toThrow();
  expect(() => assertMayOpen(1e12)).toThrow(/ulimit -Hn/);
});

test('lists of cores', () => {
  expect(readCpuList('0-2,5')).toEqual([0, 1, 2, 5]);
  expect(readCpuList()).toEqual([]);
});

test('an event has its length and one mark', () => {
  const text = payloadText(7);
  expect(Buffer.byteLength(text)).toBe(payloadBytes);
  expect(text.match(/@@\d{10} \d{16}/g)).toHaveLength(1);
  expect(payloadText(7, 4_096)).toHaveLength(4_096);
  expect(payloadObject(8)).toHaveProperty('data', expect.stringContaining('@@0000000008 '));
});

test('a pace sends all, in bursts, and no faster than asked', async () => {
  const bursts: number[] = [];
  const began = performance.now();
  const sent = await pace({ rate: 500, burst: 10, seconds: 0.11 }, (count) => void bursts.push(count));
  expect([sent, bursts]).toEqual([55, [10, 10, 10, 10, 10, 5]]);
  expect(performance.now() - began).toBeGreaterThan(95);
});

describe('a result', () => {
  const rows = [atMost('a <b>', 1.5, '×', 1.8), atLeast('c', 10, '/s', 1_500), { what: 'd', value: 3, unit: 'µs' }];
  const result = benchResult('fanout', {}, rows, []);

  test('is drawn: a bar for each row, a mark where something is asked, in its colour', () => {
    const svg = plot(result);
    expect(svg.match(/<rect x="\d+"/g)).toHaveLength(3);
    expect(svg.match(/<path /g)).toHaveLength(2);
    expect(svg).toContain('a &lt;b&gt;');
    expect(svg.match(/fill="#(?:2b8a3e|c92a2a|4263eb)"/g)).toEqual([
      'fill="#2b8a3e"',
      'fill="#c92a2a"',
      'fill="#4263eb"',
    ]);
  });

  test('is compared with a base, row by row', () => {
    const base = benchResult('fanout', {}, [atMost('a <b>', 1, '×', 1.8), atLeast('c', 0, '/s', 1_500)], []);
    const changes = compared(result, base).rows.map(({ change }) => change);
    expect(changes).toEqual([0.5, undefined, undefined]);
    expect(compared(result, undefined)).toBe(result);
  });
});

test('the stand-in for chat answers ranges and history as chat does', () => {
  const board = new StandInBoard('b', 10);
  for (let seq = 1; seq <= 25; seq += 1) board.append(seq % 2 === 0 ? 'a.even' : 'a.odd', `{"n":${seq}}`);
  const seqs = (page: { items: { seq: number }[] }) => page.items.map(({ seq }) => seq);
  expect(seqs(board.range(20, 22))).toEqual([20, 21, 22]);
  const subjects = ['a.even'];
  expect(board.history({ subjects, after: 17, limit: 2, countMax: 100 })).toMatchObject({ more: true, count: 4 });
  expect(seqs(board.history({ subjects, after: 17, limit: 2 }))).toEqual([18, 20]);
  expect(seqs(board.history({ subjects, before: 24, limit: 2 }))).toEqual([20, 22]);
  expect(seqs(board.history({ subjects, upTo: 21, limit: 1 }))).toEqual([20]);
});

test('a round with anything missing fails', () => {
  const complete = { deliveries: 20, gaps: 0, duplicates: 0, lost: 0, least: 10, most: 10 } as LoadReport;
  const expected = { events: 10, connections: 2 };
  expect(() => assertComplete('x', complete, expected)).not.toThrow();
  for (const wrong of [{ deliveries: 19 }, { gaps: 1 }, { duplicates: 1 }, { lost: 1 }, { least: 9 }, { most: 11 }]) {
    expect(() => assertComplete('x', { ...complete, ...wrong }, expected)).toThrow(/^x: /);
  }
});

// Where nothing compiles, the benches refuse with what to install.
const withCompiler = findCompiler() === undefined ? describe.skip : describe;

withCompiler('the load generator', () => {
  /** What it reports of a server that sends these numbers, a few bytes at a time. */
  async function reportOf(numbers: number[], pieceBytes: number): Promise<LoadReport> {
    const folder = await mkdtemp(join(tmpdir(), 'boardwire-load-test-'));
    const { load: program } = compileNative(folder);
    const pieces: Buffer[] = [];
    const bytes = Buffer.from(numbers.map((number) => `data: {"a@b":"${mark(number)}"}\n\n`).join(''));
    for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
    const send: (() => Promise<void>)[] = [];
    const server = createServer((_request, response) => {
      response.write(': ready\n\n');
      send.push(async () => {
        for (const piece of pieces) {
          response.write(piece);
          // oxlint-disable-next-line no-await-in-loop -- a piece a turn
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const target = { port, requests: ['GET / HTTP/1.0\r\n\r\n'], ready: ': ready', isWebSocket: false };
    const { load } = await LoadGenerator.open({ program, target, connections: 3, core: undefined });
    try {
      load.go(1);
      await load.look();
      await Promise.all(send.map((one) => one()));
      await load.drained(3 * numbers.length, 500);
      return await load.halt();
    } finally {
      await load.close();
      server.close();
      await rm(folder, { recursive: true });
    }
  }

  test.each([1, 7, 10_000])('sees every event in pieces of %d bytes', async (pieceBytes) => {
    const report = await reportOf([1, 2, 3, 4], pieceBytes);
    expect(report).toMatchObject({ deliveries: 12, gaps: 0, duplicates: 0, least: 4, most: 4, lost: 0 });
    expect(report.p99Ms).toBeGreaterThan(0);
  });

  test('tells of a hole, also at the start, and of a repeat', async () => {
    expect(await reportOf([1, 3, 4], 10_000)).toMatchObject({ deliveries: 9, gaps: 3, duplicates: 0 });
    expect(await reportOf([2, 3], 10_000)).toMatchObject({ gaps: 3 });
    expect(await reportOf([1, 2, 2, 3], 10_000)).toMatchObject({ deliveries: 12, gaps: 0, duplicates: 3 });
  });
});

withCompiler('fanout', () => {
  test('runs against C, the whole gateway, Socket.IO and Nest, and leaves nothing behind', async () => {
    const result = await benchFanout.run({ connections: '20', rounds: 1, seconds: 0.2, peers: 'npm' }, () => undefined);
    expect(result.rows.slice(0, 5).map(({ what }) => what.replace(/,.*/, ''))).toEqual([
      'C',
      'Boardwire SSE',
      'Boardwire WebSocket',
      'Socket.IO',
      'Nest @Sse()',
    ]);
    expect(result.rows.every(({ value }) => Number.isFinite(value))).toBe(true);
    expect(result.rows.filter(({ ask }) => ask !== undefined)).toHaveLength(8);
  });
});
