import { describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import fc from 'fast-check';
import type { LogEvent } from '../src/delivery/board-ring.ts';
import { ConflatingQueue } from '../src/delivery/conflating-queue.ts';
import { ConflatingWriter } from '../src/delivery/conflating-writer.ts';
import { Outbox } from '../src/delivery/outbox.ts';
import { SseFormat } from '../src/delivery/sse-format.ts';
import { epoch, logEvent, TestSocket, turn } from './support/memory-board.ts';

const seed = Number(process.env['BOARDWIRE_SEED']) || Date.now() % 1_000_000_007;
process.stderr.write(`seed ${seed} (repeat with BOARDWIRE_SEED=${seed})\n`);
const numRuns = process.env['BOARDWIRE_TEST_TIER'] === 'long' ? 5_000 : 120;

const plain = new SseFormat({ isNamed: false, framing: 'plain' });
const subjects = ['s.a', 's.b', 's.c', 'l.a', 'l.b'];
const isState = (subject: string) => subject.startsWith('s.');

describe('the queue of a reader that is behind', () => {
  /** What the queue is to be, as plainly as it can be said. */
  class Model {
    waiting: LogEvent[] = [];
    skipped = 0;

    add(event: LogEvent): void {
      const left = this.waiting.filter(({ subject }) => !event.isState || subject !== event.subject);
      this.skipped += this.waiting.length - left.length;
      this.waiting = [...left, event];
    }
  }

  test('is what a plain model is, whatever comes and goes', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...subjects) },
      { weight: 1, arbitrary: fc.constant(undefined) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const queue = new ConflatingQueue();
        const model = new Model();
        for (const [at, subject] of steps.entries()) {
          if (subject === undefined) expect(queue.shift()).toBe(model.waiting.shift());
          else {
            const event = logEvent(at + 1, subject, 'note', isState(subject));
            queue.add(event);
            model.add(event);
          }
          expect([queue.size, queue.isEmpty]).toEqual([model.waiting.length, model.waiting.length === 0]);
          expect(queue.bytes).toBe(model.waiting.reduce((sum, { bytes }) => sum + bytes.length + 200, 0));
        }
        expect(queue.takeSkipped()).toBe(model.skipped);
        expect(queue.takeSkipped()).toBe(0);
      }),
      { seed, numRuns },
    );
  });
});

/** Large, so that a few of them are more than a socket may hold back. */
function largeEvent(seq: number, subject: string): LogEvent {
  const bytes = Buffer.from(JSON.stringify({ subject, seq, padding: 'x'.repeat(12_000) }));
  return { ...logEvent(seq, subject, 'note', isState(subject)), bytes };
}

interface Reading {
  socket: TestSocket;
  outbox: Outbox;
  writer: ConflatingWriter;
  conflated: { count: number };
  overflows: { count: number };
}

function open(bytesMax: number, position: () => number): Reading {
  const socket = new TestSocket(64);
  const overflows = { count: 0 };
  const conflated = { count: 0 };
  const outbox = new Outbox(socket.asSocket(), {
    bytesMax,
    eventsMax: 10_000,
    onOverflow: () => (overflows.count += 1),
  });
  const writer = new ConflatingWriter({
    outbox,
    position,
    encode: (event) => plain.events(epoch, [event]),
    skipped: (count) => plain.skipped(count),
    onConflated: (count) => (conflated.count += count),
    onFailed: (error) => {
      throw error;
    },
  });
  return { socket, outbox, writer, conflated, overflows };
}

type Block = { seq: number } | { skipped: number };

function blocksOf(text: string): Block[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const id = /^id: \w+-(\d+)$/m.exec(block);
      return id === null
        ? { skipped: (JSON.parse(/^data: (.*)$/m.exec(block)![1]!) as { count: number }).count }
        : { seq: Number(id[1]) };
    });
}

/** Publishes a batch, stops or starts the reader, or lets time pass. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.array(fc.constantFrom(...subjects), { minLength: 1, maxLength: 12 }) },
  { weight: 2, arbitrary: fc.constantFrom('stop' as const, 'start' as const) },
  { weight: 3, arbitrary: fc.constant('wait' as const) },
);

describe('a conflating reader', () => {
  test('gets the newest of each subject and every log event, in order, and is told what it didn’t get', async () => {
    let skippedInAll = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const published: LogEvent[] = [];
        let settled = 0;
        const { socket, writer, conflated, overflows } = open(1e8, () => settled);
        let written = '';
        const send = socket.write.bind(socket) as (chunk: Buffer) => boolean;
        socket.write = (chunk: Buffer) => {
          written += chunk.toString();
          return send(chunk);
        };
        for (const action of steps) {
          if (action === 'stop') socket.isPaused = true;
          else if (action === 'start') socket.unpause();
          else if (action === 'wait') await turn();
          else {
            const events = action.map((subject, at) => largeEvent(published.length + 1 + at, subject));
            published.push(...events);
            writer.write(plain.events(epoch, events), events);
            settled = published.length;
          }
          assertCursor({ written, published, cursor: writer.behindAt ?? settled });
        }
        socket.unpause();
        await eventually(() => expect([writer.behindAt, socket.writableLength]).toEqual([undefined, 0]), {
          everyMs: 0,
        });
        assertComplete(blocksOf(socket.text), published);
        const skipped = blocksOf(socket.text).reduce((sum, block) => sum + ('skipped' in block ? block.skipped : 0), 0);
        expect([conflated.count, overflows.count]).toEqual([skipped, 0]);
        skippedInAll += skipped;
      }),
      { seed, numRuns: Math.ceil(numRuns / 3) },
    );
    expect(skippedInAll).toBeGreaterThan(numRuns);
  }, 600_000);

  test('is cut when the newest alone is more than its outbox may hold', () => {
    const { socket, outbox, writer, overflows } = open(4_000, () => 0);
    socket.isPaused = true;
    const write = (events: LogEvent[]) => writer.write(plain.events(epoch, events), events);
    for (let seq = 1; seq <= 100; seq += 1) write([logEvent(seq, 'a', 'note', true)]);
    expect(overflows.count).toBe(0);
    for (let seq = 101; seq <= 200; seq += 1) write([logEvent(seq, `a.${seq}`, 'note', true)]);
    expect([overflows.count, outbox.isSealed]).toEqual([1, true]);
    writer.clear();
    expect(outbox.waitingBytes).toBe(socket.writableLength);
  });

  test('goes on with a bound so small that its socket never asks to wait', async () => {
    const socket = new TestSocket(64 * 1024);
    socket.isPaused = true;
    const outbox = new Outbox(socket.asSocket(), { bytesMax: 16_384, eventsMax: 100, onOverflow: () => {} });
    outbox.write(Buffer.alloc(10_000));
    expect(outbox.isBehind).toBe(false);
    await turn();
  });
});

/** Whoever came back with this cursor would miss nothing: what is at or before it was written, or told as skipped. */
function assertCursor({
  written,
  published,
  cursor,
}: {
  written: string;
  published: LogEvent[];
  cursor: number;
}): void {
  const blocks = blocksOf(written);
  const seen = new Set(blocks.flatMap((block) => ('seq' in block ? [block.seq] : [])));
  const missing = published.filter(({ seq }) => seq <= cursor && !seen.has(seq));
  for (const { subject, seq, isState: isConflated } of missing) {
    const isReplaced = published.some((other) => other.subject === subject && other.seq > seq);
    expect({ seq, cursor, isConflated, isReplaced }).toMatchObject({ isConflated: true, isReplaced: true });
  }
  const told = blocks.reduce((sum, block) => sum + ('skipped' in block ? block.skipped : 0), 0);
  expect(told).toBeGreaterThanOrEqual(missing.length);
}

function assertComplete(blocks: Block[], published: readonly LogEvent[]): void {
  const seqs = blocks.flatMap((block) => ('seq' in block ? [block.seq] : []));
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  expect(new Set(seqs).size).toBe(seqs.length);
  const told = blocks.reduce((sum, block) => sum + ('skipped' in block ? block.skipped : 0), 0);
  expect(seqs.length + told).toBe(published.length);
  for (const subject of subjects) {
    const all = published.filter((event) => event.subject === subject).map(({ seq }) => seq);
    const got = seqs.filter((seq) => published[seq - 1]!.subject === subject);
    if (isState(subject)) expect(got.at(-1)).toBe(all.at(-1));
    else expect(got).toEqual(all);
  }
  // What took a place comes behind the word about it: so many are told before as are missing so far.
  let toldSoFar = 0;
  let gotSoFar = 0;
  for (const block of blocks) {
    if ('skipped' in block) toldSoFar += block.skipped;
    else {
      gotSoFar += 1;
      const replaced = published.filter(
        (event) => event.seq < block.seq && event.subject === published[block.seq - 1]!.subject,
      );
      const missing = replaced.filter(({ seq }) => !seqs.includes(seq));
      expect(toldSoFar).toBeGreaterThanOrEqual(missing.length);
    }
  }
  expect(gotSoFar).toBe(seqs.length);
}
