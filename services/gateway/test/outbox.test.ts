import { describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { Outbox } from '../src/delivery/outbox.ts';
import { TestSocket } from './support/memory-board.ts';

function outboxOver(socket: TestSocket, bounds = { bytesMax: 1_000, eventsMax: 10 }) {
  const overflows: number[] = [];
  const outbox = new Outbox(socket.asSocket(), {
    ...bounds,
    onOverflow: () => void overflows.push(outbox.waitingBytes),
  });
  return { outbox, overflows };
}

describe('the outbox', () => {
  test('is cut once when more bytes wait than it may hold, and takes nothing afterwards', () => {
    const socket = new TestSocket();
    socket.isPaused = true;
    const { outbox, overflows } = outboxOver(socket);
    for (let count = 0; count < 30; count += 1) outbox.write(Buffer.alloc(100), 0);
    expect(overflows).toEqual([1_000]);
    expect(outbox.write(Buffer.alloc(1), 0)).toBe(false);
    expect(socket.writableLength).toBe(1_000);
  });

  test('is cut when more events wait than it may hold', () => {
    const socket = new TestSocket();
    socket.isPaused = true;
    const { outbox, overflows } = outboxOver(socket);
    for (let count = 0; count < 30; count += 1) outbox.write(Buffer.alloc(1), 1);
    expect(overflows).toHaveLength(1);
    expect(outbox.waitingEvents).toBe(10);
  });

  test('never cuts a client that keeps reading, however much passes', async () => {
    const socket = new TestSocket();
    const { outbox, overflows } = outboxOver(socket);
    for (let count = 0; count < 200; count += 1) {
      outbox.write(Buffer.alloc(500), 5);
      // oxlint-disable-next-line no-await-in-loop -- at the client's pace
      await eventually(() => expect(socket.writableLength).toBe(0), { everyMs: 0 });
    }
    expect(overflows).toEqual([]);
    expect(outbox.waitingEvents).toBe(0);
  });

  test('lets a single write pass that is larger than the bound, when nothing waits', () => {
    const { outbox, overflows } = outboxOver(new TestSocket());
    expect(outbox.write(Buffer.alloc(5_000), 1)).toBe(true);
    expect(overflows).toEqual([]);
  });

  test('tells how long something waited once the socket has taken all of it, and nothing when all goes at once', async () => {
    const socket = new TestSocket();
    const waits: number[] = [];
    const bounds = { bytesMax: 1e6, eventsMax: 100 };
    const outbox = new Outbox(socket.asSocket(), {
      ...bounds,
      onOverflow: () => {},
      onDrained: (seconds) => void waits.push(seconds),
    });
    outbox.write(Buffer.alloc(500));
    await eventually(() => expect(socket.writableLength).toBe(0), { everyMs: 0 });
    expect(waits).toEqual([]);
    socket.isPaused = true;
    const stalledAt = performance.now();
    for (let count = 0; count < 5; count += 1) outbox.write(Buffer.alloc(1_000));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(waits).toEqual([]);
    socket.unpause();
    await eventually(() => expect(waits).toHaveLength(1), { everyMs: 1 });
    expect(waits[0]).toBeGreaterThanOrEqual(0.025);
    expect(waits[0]).toBeLessThanOrEqual((performance.now() - stalledAt) / 1_000);
    socket.isPaused = true;
    outbox.write(Buffer.alloc(5_000));
    socket.unpause();
    await eventually(() => expect(waits).toHaveLength(2), { everyMs: 1 });
  });

  test('takes what may be dropped only while less than a quarter of it is in use', () => {
    const socket = new TestSocket();
    socket.isPaused = true;
    const { outbox, overflows } = outboxOver(socket, { bytesMax: 1_000, eventsMax: 20 });
    expect(outbox.offer(Buffer.alloc(300), 1)).toBe(true);
    expect(outbox.offer(Buffer.alloc(1), 1)).toBe(false);
    expect(outbox.write(Buffer.alloc(600), 1)).toBe(true);
    expect(overflows).toEqual([]);
    const crowded = new TestSocket();
    crowded.isPaused = true;
    const many = outboxOver(crowded, { bytesMax: 1_000, eventsMax: 20 }).outbox;
    many.write(Buffer.alloc(1), 5);
    expect(many.offer(Buffer.alloc(1), 1)).toBe(false);
  });

  test('leaves as one write what several subscriptions write in one tick', async () => {
    const socket = new TestSocket();
    let writes = 0;
    socket._writev = (chunks, done) => {
      writes += 1;
      socket.text += chunks.map(({ chunk }) => String(chunk)).join('');
      done();
    };
    const { outbox } = outboxOver(socket);
    outbox.share();
    for (const word of ['a', 'b', 'c']) outbox.write(Buffer.from(word), 1);
    await eventually(() => expect(socket.text).toBe('abc'));
    expect(writes).toBe(1);
  });

  test('waits for a drain only while there is one to wait for', async () => {
    const socket = new TestSocket(10);
    socket.isPaused = true;
    const { outbox } = outboxOver(socket);
    expect(outbox.drained()).toBeUndefined();
    outbox.write(Buffer.alloc(100), 1);
    const drained = outbox.drained();
    expect(drained).toBeDefined();
    socket.unpause();
    await drained;
    expect(outbox.drained()).toBeUndefined();
  });

  test('ends a wait for a drain when the socket is destroyed', async () => {
    const socket = new TestSocket(10);
    socket.isPaused = true;
    const { outbox } = outboxOver(socket);
    outbox.write(Buffer.alloc(100), 1);
    const drained = outbox.drained();
    socket.destroy();
    await drained;
    expect(outbox.isSealed).toBe(true);
  });
});
