import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { Pace } from '../src/connections/pace.ts';
import { ReplayGate } from '../src/delivery/replay-gate.ts';
import { turn } from './support/memory-board.ts';

afterEach(() => {
  jest.useRealTimers();
});

/** A gate, and work that goes on until it is let go. */
function open(bounds = { concurrentMax: 10, perUserMax: 3 }) {
  const gate = new ReplayGate({ ...bounds, observeWait: () => {} });
  const running: string[] = [];
  const told: string[] = [];
  const ends: (() => void)[] = [];
  const begin = (userId: string) =>
    gate.run({ userId, onWaiting: () => told.push(userId) }, async () => {
      running.push(userId);
      await new Promise<void>((resolve) => ends.push(resolve));
      running.splice(running.indexOf(userId), 1);
    });
  const endOne = async () => {
    ends.shift()?.();
    for (let at = 0; at < 5; at += 1) await turn();
  };
  return { gate, running, told, begin, endOne, of: (userId: string) => running.filter((one) => one === userId).length };
}

describe('the gate of replays', () => {
  test('lets one user have so many at a time, and others pass who came later', async () => {
    const { gate, begin, endOne, of } = open();
    for (let at = 0; at < 50; at += 1) void begin('many');
    void begin('one');
    await turn();
    expect([of('many'), of('one'), gate.waiting]).toEqual([3, 1, 47]);
    for (let at = 0; at < 10; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await endOne();
      expect(of('many')).toBe(3);
    }
  });

  test('shares what there is between users, and serves everybody in the end', async () => {
    const { gate, begin, endOne, of, running } = open({ concurrentMax: 4, perUserMax: 4 });
    const all = 'a a a a a a a a b b b b'.split(' ').map((user) => begin(user));
    await turn();
    // The first user was alone; from then on they take turns.
    for (let at = 0; at < 4; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await endOne();
    }
    expect([of('a'), of('b')]).toEqual([2, 2]);
    for (let at = 0; at < 12; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await endOne();
    }
    await Promise.all(all);
    expect([running, gate.waiting]).toEqual([[], 0]);
  });

  test('tells who waits for more than a second, once, and nobody else', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const { begin, told, endOne } = open({ concurrentMax: 1, perUserMax: 1 });
    for (const user of ['a', 'b', 'c']) void begin(user);
    await turn();
    jest.advanceTimersByTime(900);
    expect(told).toEqual([]);
    await endOne();
    jest.advanceTimersByTime(5_000);
    expect(told).toEqual(['c']);
  });

  test('gives a place back when the work fails', async () => {
    const { gate, begin, of } = open({ concurrentMax: 1, perUserMax: 1 });
    const failing = gate.run({ userId: 'a', onWaiting: () => {} }, () => Promise.reject(new Error('chat is away')));
    void begin('a');
    await expect(failing).rejects.toThrow('chat is away');
    await turn();
    expect(of('a')).toBe(1);
  });
});

describe('the pace of handshakes', () => {
  test('lets a portion in at each turn of the event loop, in the order in which they came', async () => {
    const pace = new Pace();
    const order: number[] = [];
    for (let at = 0; at < 100; at += 1) void Promise.resolve(pace.next()).then(() => order.push(at));
    await Promise.resolve();
    await Promise.resolve();
    expect(order).toHaveLength(16);
    for (const count of [32, 48, 64, 80, 96, 100]) {
      // oxlint-disable-next-line no-await-in-loop -- turn by turn
      await turn();
      expect(order).toHaveLength(count);
    }
    expect(order).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(pace.waiting).toBe(0);
    await turn();
    expect(pace.next()).toBeUndefined();
  });
});
