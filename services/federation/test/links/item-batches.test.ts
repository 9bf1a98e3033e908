import type { WireItem } from '@boardwire/contracts';
import { seededRandom } from '@boardwire/test-kit';
import { expect, test } from '@jest/globals';
import { ItemBatches } from '../../src/links/item-batches.ts';

const item = (name: number, bytes = 10): WireItem => ({
  h: `${name}`,
  sigs: [{ kid: 'k', sig: '' }],
  salt: '',
  data: 'a'.repeat(bytes),
  via: [],
});

const unchecked = (items: readonly WireItem[]) => Promise.resolve(items);

test('what comes while a batch is taken makes the next one, in order, within the bounds of a batch', async () => {
  const random = seededRandom();
  const batches: WireItem[][] = [];
  let running = 0;
  const pause = () => new Promise((resolve) => setTimeout(resolve, random.integer(0, 3)));
  const taking = new ItemBatches(
    {
      check: async (items) => {
        await pause();
        return items;
      },
      take: async (items) => {
        running += 1;
        expect(running).toBe(1);
        batches.push([...items]);
        await pause();
        running -= 1;
        return random.integer(0, 9) > 0;
      },
    },
    () => undefined,
  );
  for (let n = 0; n < 3_000; n += 1) {
    // oxlint-disable-next-line no-await-in-loop
    await taking.add(item(n, random.integer(0, 9) === 0 ? 60_000 : 10));
    expect(taking.depth).toBeLessThanOrEqual(1_024);
    // oxlint-disable-next-line no-await-in-loop
    if (random.integer(0, 99) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await taking.settled();
  expect(batches.flat().map(({ h }) => Number(h))).toEqual(Array.from({ length: 3_000 }, (_, at) => at));
  expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(256);
  const sizes = batches.map((batch) => batch.reduce((sum, { h, data }) => sum + h.length + data!.length, 0));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1024 * 1024);
  expect(batches.length).toBeLessThan(600);
});

test('who brings more than is taken waits, and goes on when there is room', async () => {
  let release: () => void = () => undefined;
  const taking = new ItemBatches(
    { check: unchecked, take: () => new Promise((resolve) => (release = () => resolve(true))) },
    () => undefined,
  );
  let added = 0;
  const bringing = (async () => {
    for (; added < 5_000; added += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await taking.add(item(added));
    }
  })();
  await new Promise((resolve) => setTimeout(resolve, 50));
  // The one being taken, the one checked ahead, and what may wait.
  expect(added).toBeLessThan(1_600);
  const releasing = setInterval(() => release(), 0);
  await bringing;
  await taking.settled();
  clearInterval(releasing);
  expect(added).toBe(5_000);
});

test('a batch that fails ends it, and whoever brings more is told', async () => {
  let told = 0;
  const taking = new ItemBatches(
    { check: unchecked, take: () => Promise.reject(new Error('the disk is full')) },
    () => (told += 1),
  );
  await taking.add(item(1));
  await expect(taking.settled()).rejects.toThrow('the disk is full');
  await expect(taking.add(item(2))).rejects.toThrow('the disk is full');
  expect(told).toBe(1);
});

/** Batches whose checks and takings end when the test says so. */
class SlowWork {
  readonly log: string[] = [];
  readonly #ends = new Map<string, (value: never) => void>();

  check(items: readonly WireItem[]): Promise<string> {
    return this.#under(`check ${items[0]!.h}`);
  }

  take(first: string): Promise<boolean> {
    return this.#under(`take ${first}`);
  }

  async end(step: string, value: unknown): Promise<void> {
    this.#ends.get(step)!(value as never);
    await new Promise((resolve) => setImmediate(resolve));
  }

  #under<T>(step: string): Promise<T> {
    this.log.push(step);
    return new Promise<T>((resolve) => this.#ends.set(step, resolve));
  }
}

async function threeBatches(): Promise<{ work: SlowWork; taking: ItemBatches<string> }> {
  const work = new SlowWork();
  const taking = new ItemBatches<string>(
    { check: (items) => work.check(items), take: (first) => work.take(first) },
    () => undefined,
  );
  for (let n = 0; n < 700; n += 1) void taking.add(item(n));
  await new Promise((resolve) => setImmediate(resolve));
  await work.end('check 0', '0');
  return { work, taking };
}

test('a full batch is checked while the one before is taken, and taken behind it; one that is not full waits', async () => {
  const { work, taking } = await threeBatches();
  expect(work.log).toEqual(['check 0', 'check 256', 'take 0']);
  await work.end('check 256', '256');
  expect(work.log.length).toBe(3);
  await work.end('take 0', true);
  expect(work.log.slice(3)).toEqual(['take 256']);
  for (let n = 700; n < 710; n += 1) void taking.add(item(n));
  await work.end('take 256', true);
  expect(work.log.slice(4)).toEqual(['check 512']);
  expect(taking.holds('')).toBe(true);
});

test('what was checked ahead is checked again when the batch before had to be repaired', async () => {
  const { work } = await threeBatches();
  await work.end('check 256', 'as it was before');
  await work.end('take 0', false);
  expect(work.log.slice(3)).toEqual(['check 256']);
  await work.end('check 256', 'as it is now');
  expect(work.log.slice(4)).toEqual(['take as it is now']);
});

test('nothing of a batch is taken that could not be checked, whatever went before it', async () => {
  const taken: string[] = [];
  const taking = new ItemBatches<string>(
    {
      check: async (items) => {
        if (items[0]!.h === '256') throw new Error('the keys are away');
        return items[0]!.h;
      },
      take: async (first) => {
        taken.push(first);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return true;
      },
    },
    () => undefined,
  );
  for (let n = 0; n < 600; n += 1) void taking.add(item(n)).catch(() => undefined);
  await expect(taking.settled()).rejects.toThrow('the keys are away');
  expect(taken).toEqual(['0']);
});
