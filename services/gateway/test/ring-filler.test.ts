import { describe, expect, test } from '@jest/globals';
import { RingFiller } from '../src/delivery/ring-filler.ts';
import { MemoryLog, newChannel } from './support/memory-board.ts';

/** Counts what is read for the ring. */
class CountingLog extends MemoryLog {
  read = 0;

  override async range(board: string, query: { from: number; to: number }) {
    const page = await super.range(board, query);
    this.read += page.events.length;
    return page;
  }
}

function logOf(events: number): CountingLog {
  const log = new CountingLog();
  for (let count = 0; count < events; count += 1) log.add('a');
  return log;
}

describe('the filler of a ring', () => {
  test('reads what a crowd comes back for once', async () => {
    const log = logOf(60);
    const channel = newChannel(60);
    const filler = new RingFiller(log);
    await Promise.all(Array.from({ length: 20 }, () => filler.prepare(channel, 10)));
    expect(channel.ring.covers(10)).toBe(true);
    expect(log.read).toBe(50);
  });

  test('lets go as soon as the bytes don’t fit, and doesn’t try that again', async () => {
    const log = logOf(60);
    const channel = newChannel(60, { eventsMax: 64, bytesMax: 1_000 });
    const filler = new RingFiller(log);
    for (let round = 0; round < 3; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one crowd after the other
      await Promise.all(Array.from({ length: 20 }, () => filler.prepare(channel, 10)));
    }
    expect(channel.ring.size).toBe(0);
    expect(log.read).toBe(log.pageMax);
  });
});
