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

test('what comes while a batch is taken makes the next one, in order, within the bounds of a batch', async () => {
  const random = seededRandom();
  const batches: WireItem[][] = [];
  let running = 0;
  const taking = new ItemBatches(
    async (items) => {
      running += 1;
      expect(running).toBe(1);
      batches.push([...items]);
      await new Promise((resolve) => setTimeout(resolve, random.integer(0, 3)));
      running -= 1;
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
    () => new Promise((resolve) => (release = resolve)),
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
  expect(added).toBeLessThan(1_300);
  const releasing = setInterval(() => release(), 0);
  await bringing;
  await taking.settled();
  clearInterval(releasing);
  expect(added).toBe(5_000);
});

test('a batch that fails ends it, and whoever brings more is told', async () => {
  let told = 0;
  const taking = new ItemBatches(
    () => Promise.reject(new Error('the disk is full')),
    () => (told += 1),
  );
  await taking.add(item(1));
  await expect(taking.settled()).rejects.toThrow('the disk is full');
  await expect(taking.add(item(2))).rejects.toThrow('the disk is full');
  expect(told).toBe(1);
});
