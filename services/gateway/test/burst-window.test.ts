import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FilterSet } from '../src/delivery/filter-set.ts';
import type { LiveMember } from '../src/delivery/live-group.ts';
import { logEvent, newChannel } from './support/memory-board.ts';

// Turns are real, time is not: the window ends when it is told to, however busy the machine is.
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
});
afterEach(() => {
  jest.useRealTimers();
});

const turnsMax = 1_000;

/** Lets a millisecond pass with each turn. */
async function until(isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < turnsMax && !isDone(); turn += 1) {
    jest.advanceTimersByTime(1);
    // oxlint-disable-next-line no-await-in-loop
    await nextTurn();
  }
  expect(isDone()).toBe(true);
  // A pass ends a turn after its last member.
  await nextTurn();
}

/** Counts what is written to somebody who is live. */
class Reader implements LiveMember {
  readonly joinedAt = 0;
  writes = 0;
  reached = 0;
  onFirst: (() => void) | undefined;

  deliver(_bytes: Buffer, _events: unknown, upTo: number): void {
    this.writes += 1;
    this.reached = upTo;
    const { onFirst } = this;
    this.onFirst = undefined;
    onFirst?.();
  }

  onReset(): void {}
  onBehind(): void {}
  onInterrupted(): void {}
  fail(error: unknown): void {
    throw error;
  }
}

function board(members: number) {
  const channel = newChannel(0);
  const wanted = new FilterSet(['>']);
  const readers = Array.from({ length: members }, () => new Reader());
  const encoder = () => ({ sharedKey: 'test', encode: () => Buffer.from('x') });
  for (const reader of readers) channel.join(reader, { key: 'all', wanted, encoder });
  let seq = 0;
  const reader = readers[0]!;
  return {
    reader,
    /** Events that come in turns of their own, as from a socket. @returns the writes that they made to a reader */
    async burst(events: number): Promise<number> {
      const before = reader.writes;
      for (let count = 0; count < events; count += 1) {
        channel.append([logEvent((seq += 1), 'a.b')]);
        // oxlint-disable-next-line no-await-in-loop
        await nextTurn();
      }
      await until(() => readers.every(({ reached }) => reached === seq));
      return reader.writes - before;
    },
    /** Two events, of which the second comes while the first is under way. */
    async tornBurst(): Promise<void> {
      reader.onFirst = () => channel.append([logEvent((seq += 1), 'a.b')]);
      channel.append([logEvent((seq += 1), 'a.b')]);
      await until(() => readers.every(({ reached }) => reached === seq));
      expect(reader.writes).toBe(2);
    },
    /** One event. @returns whether its pass began at once */
    async one(): Promise<boolean> {
      channel.append([logEvent((seq += 1), 'a.b')]);
      const hasBegun = readers.some(({ reached }) => reached === seq);
      await until(() => readers.every(({ reached }) => reached === seq));
      return hasBegun;
    },
  };
}

/** So many that a pass over them takes several turns. */
const crowd = 2_500;

describe('the window for bursts', () => {
  test('brings bursts together once there was one', async () => {
    const it = board(crowd);
    expect(await it.burst(5)).toBeGreaterThan(1);
    for (let count = 0; count < 20; count += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await it.burst(5)).toBe(1);
    }
  });

  test('makes nobody wait where events come one by one', async () => {
    const it = board(crowd);
    expect([await it.one(), await it.one(), await it.one()]).toEqual([true, true, true]);
  });

  test('is given up when what it waited for did not come', async () => {
    const it = board(crowd);
    await it.burst(5);
    expect([await it.one(), await it.one()]).toEqual([false, true]);
  });

  test('is for those whose pass costs more than the wait', async () => {
    const it = board(10);
    await it.tornBurst();
    expect(await it.one()).toBe(true);
    const large = board(crowd);
    await large.tornBurst();
    expect(await large.one()).toBe(false);
  });
});
