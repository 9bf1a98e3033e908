import { describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { FilterSet } from '../src/delivery/filter-set.ts';
import type { LiveMember } from '../src/delivery/live-group.ts';
import { logEvent, newChannel } from './support/memory-board.ts';

/** Counts what is written to somebody who is live. */
class Reader implements LiveMember {
  readonly joinedAt = 0;
  writes = 0;
  reached = 0;

  deliver(_bytes: Buffer, _events: unknown, upTo: number): void {
    this.writes += 1;
    this.reached = upTo;
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
      await eventually(() => expect(reader.reached).toBe(seq));
      await sleep(5);
      return reader.writes - before;
    },
    /** One event. @returns whether its pass began at once */
    async one(): Promise<boolean> {
      channel.append([logEvent((seq += 1), 'a.b')]);
      const hasBegun = readers.some(({ reached }) => reached === seq);
      await eventually(() => expect(readers.every(({ reached }) => reached === seq)).toBe(true));
      await sleep(5);
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
    let together = 0;
    // oxlint-disable-next-line no-await-in-loop -- one after the other; a busy machine may tear some apart
    for (let count = 0; count < 20; count += 1) if ((await it.burst(5)) === 1) together += 1;
    expect(together).toBeGreaterThan(10);
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
    await it.burst(5);
    expect(await it.one()).toBe(true);
  });
});
