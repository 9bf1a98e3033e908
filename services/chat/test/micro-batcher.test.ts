import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@boardwire/test-kit';
import { MicroBatcher } from '../src/log/micro-batcher.ts';

interface Work {
  id: number;
  items: number;
  bytes: number;
}

class DatabaseGone extends Error {}

const bounds = { batchItemsMax: 20, batchBytesMax: 1_000, queueItemsMax: 200 };

describe('the micro-batcher', () => {
  it('answers every work exactly once, in order of arrival, one commit at a time, within its bounds', async () => {
    const random = seededRandom();
    const committed: number[] = [];
    let running = 0;
    const batcher = new MicroBatcher<Work, number>({
      ...bounds,
      failsAll: (error) => error instanceof DatabaseGone,
      commit: async (batch) => {
        running += 1;
        expect(running).toBe(1);
        const items = batch.reduce((sum, work) => sum + work.items, 0);
        const bytes = batch.reduce((sum, work) => sum + work.bytes, 0);
        expect(batch.length === 1 || (items <= bounds.batchItemsMax && bytes <= bounds.batchBytesMax)).toBe(true);
        if (random.next() < 0.7) await sleep(random.integer(0, 2));
        running -= 1;
        const dice = random.next();
        if (dice < 0.05) throw new DatabaseGone();
        if (dice < 0.15) throw new Error('this batch is bad');
        committed.push(...batch.map(({ id }) => id));
        return batch.map(({ id }) => id * 2);
      },
    });
    const answers: Promise<{ id: number; result?: number; error?: unknown }>[] = [];
    let refused = 0;
    for (let id = 0; id < 3_000; id += 1) {
      const work = { id, items: random.integer(1, 25), bytes: random.integer(1, 1_500) };
      if (!batcher.hasRoomFor(work.items)) {
        refused += 1;
        expect(batcher.depth + work.items).toBeGreaterThan(bounds.queueItemsMax);
        await sleep(1);
        continue;
      }
      answers.push(
        batcher.add(work).then(
          (result) => ({ id, result }),
          (error: unknown) => ({ id, error }),
        ),
      );
      if (random.next() < 0.1) await sleep(0);
    }
    const settled = await Promise.all(answers);
    const answered = settled.filter(({ error }) => error === undefined);
    expect(answered.map(({ id }) => id)).toEqual(committed);
    expect(committed).toEqual(committed.toSorted((a, b) => a - b));
    for (const { id, result } of answered) expect(result).toBe(id * 2);
    expect(refused).toBeGreaterThan(0);
    expect(answered.length).toBeLessThan(settled.length);
    await batcher.idle();
    expect(batcher.depth).toBe(0);
  });

  it('commits a lone work at once, and what comes meanwhile together', async () => {
    const batches: number[] = [];
    let finish: () => void = () => undefined;
    const batcher = new MicroBatcher<Work, number>({
      ...bounds,
      failsAll: () => false,
      commit: async (batch) => {
        batches.push(batch.length);
        await new Promise<void>((resolve) => (finish = resolve));
        return batch.map(() => 0);
      },
    });
    const works = Array.from({ length: 5 }, (_, id) => batcher.add({ id, items: 1, bytes: 1 }));
    expect(batches).toEqual([1]);
    finish();
    await works[0];
    await sleep(0);
    finish();
    await Promise.all(works);
    expect(batches).toEqual([1, 4]);
  });
});
