import { expect, test } from '@jest/globals';
import { unfinished, type EpochRow } from '../../src/links/epoch-rows.ts';
import { RoomProgress } from '../../src/links/room-progress.ts';

const row = (site: string, n: number, more: Partial<EpochRow> = {}): EpochRow => ({
  site,
  epoch: 'e1',
  ordinal: 0,
  n,
  hash: 'h',
  state: 'open',
  after: undefined,
  ...more,
});

let rows: EpochRow[] = [];
let now = 0;
async function progressOf(...given: EpochRow[]): Promise<RoomProgress> {
  rows = given;
  now = 1_000;
  const progress = new RoomProgress(
    'own',
    async () => rows,
    () => now,
  );
  await progress.refresh();
  return progress;
}

test('what somebody has more of is missing, since when, and for how long nothing has come', async () => {
  const progress = await progressOf(row('a', 5), row('b', 5), row('own', 1));
  progress.heard('b', { a: { epoch: 'e1', n: 9 }, b: { epoch: 'e1', n: 5 }, own: { epoch: 'e1', n: 100 } });
  expect(progress.behind()).toMatchObject([{ site: 'a', have: 5, told: 9, tellers: ['b'], behindMs: 0 }]);
  now += 400;
  expect(progress.behind()).toMatchObject([{ behindMs: 400, stillMs: 400 }]);
  rows = [row('a', 7), row('b', 5)];
  await progress.refresh();
  now += 100;
  expect(progress.behind()).toMatchObject([{ have: 7, behindMs: 500, stillMs: 100 }]);
  rows = [row('a', 9), row('b', 5)];
  await progress.refresh();
  expect(progress.behind()).toEqual([]);
});

test('a peer’s lag is measured by its own word, else by the furthest that others say', async () => {
  const progress = await progressOf(row('a', 5));
  expect(progress.lagOf('a')).toBeUndefined();
  progress.heard('b', { a: { epoch: 'e1', n: 8 } });
  expect(progress.lagOf('a')).toEqual({ events: 3, sinceMs: 1_000 });
  progress.heard('c', { a: { epoch: 'e1', n: 9 } });
  expect(progress.lagOf('a')?.events).toBe(4);
  progress.heard('a', { a: { epoch: 'e1', n: 5 } });
  expect(progress.lagOf('a')).toEqual({ events: 0, sinceMs: undefined });
  progress.forget('a');
  progress.forget('c');
  expect(progress.lagOf('a')?.events).toBe(3);
});

test('an epoch that is unknown here is missing whole, one that has ended is not measured by its tellers', async () => {
  const next = { epoch: 'e2', ordinal: 1, after: { epoch: 'e1', n: 7, hash: 'h' } };
  const progress = await progressOf(row('a', 5), row('a', 2, next));
  progress.heard('b', { a: { epoch: 'e1', n: 9 } });
  expect(progress.behind()).toEqual([]);
  progress.heard('c', { a: { epoch: 'e3', n: 1 } });
  expect(progress.behind()).toMatchObject([{ epoch: 'e3', have: undefined, told: 1, tellers: ['c'] }]);
  expect(unfinished(rows)).toEqual([{ site: 'a', epoch: 'e1', n: 5, upTo: 7 }]);
});

test('a frozen feed is not asked for', async () => {
  const progress = await progressOf(row('a', 5, { state: 'frozen' }));
  progress.heard('b', { a: { epoch: 'e1', n: 9 } });
  expect(progress.behind()).toEqual([]);
});
