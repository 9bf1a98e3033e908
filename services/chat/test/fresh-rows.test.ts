import { describe, expect, test } from '@jest/globals';
import { bounds } from '../src/bounds.ts';
import { FreshRows } from '../src/log/fresh-rows.ts';
import type { RelayRow } from '../src/log/relay-store.ts';

const board = { id: 1, epoch: 'epoch001' };

function commit(from: number, count: number, { epoch = board.epoch, body = '{}' } = {}): RelayRow[] {
  return Array.from({ length: count }, (_, at) => ({
    seq: from + at,
    epoch,
    subject: 's',
    type: 't',
    class: 'log',
    committedMs: 0,
    datahash: '',
    body,
  }));
}

function keeping(): FreshRows {
  const fresh = new FreshRows();
  fresh.keep(true);
  return fresh;
}
const seqs = (rows: readonly RelayRow[] | undefined) => rows?.map(({ seq }) => seq);

describe('rows fresh from their commit', () => {
  test('follow the position without a hole, commit by commit, and are given once', () => {
    const fresh = keeping();
    fresh.add(1, commit(1, 2));
    fresh.add(1, commit(3, 2));
    expect(seqs(fresh.take(board, 0))).toEqual([1, 2]);
    expect(seqs(fresh.take(board, 2))).toEqual([3, 4]);
    expect(fresh.take(board, 4)).toBeUndefined();
    expect(fresh.events).toBe(0);
  });

  test('are not given over a hole that another replica filled, and are at hand again behind it', () => {
    const fresh = keeping();
    fresh.add(1, commit(5, 3));
    expect(fresh.take(board, 2)).toBeUndefined();
    expect(seqs(fresh.take(board, 5))).toEqual([6, 7]);
  });

  test('of a former epoch or before the position are dropped', () => {
    const fresh = keeping();
    fresh.add(1, commit(1, 2));
    fresh.add(1, commit(3, 2, { epoch: 'epoch000' }));
    expect(fresh.take(board, 2)).toBeUndefined();
    expect(fresh.events).toBe(0);
  });

  test('are bounded in events and in bytes: the oldest go first', () => {
    const fresh = keeping();
    for (let at = 0; at < 20; at += 1) fresh.add(1, commit(at * 1_000 + 1, 1_000));
    expect(fresh.events).toBeLessThanOrEqual(bounds.freshEventsMax);
    expect(fresh.take(board, 0)).toBeUndefined();
    expect(seqs(fresh.take(board, 19_000))?.at(-1)).toBe(20_000);
    fresh.add(2, commit(1, 1, { body: 'x'.repeat(bounds.freshBytesMax + 1) }));
    expect(fresh.take({ id: 2, epoch: board.epoch }, 0)).toBeUndefined();
    expect(fresh.events).toBe(0);
  });

  test('are kept only while somebody fetches them', () => {
    const fresh = new FreshRows();
    fresh.add(1, commit(1, 1));
    expect(fresh.take(board, 0)).toBeUndefined();
    fresh.keep(true);
    fresh.add(1, commit(1, 1));
    fresh.keep(false);
    fresh.keep(true);
    expect(fresh.take(board, 0)).toBeUndefined();
  });
});
