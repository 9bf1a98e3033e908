import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { Stalled } from '@boardwire/contracts';
import { Connections } from '../src/connections/connections.ts';
import type { EndReason, OpenConnection } from '../src/connections/open-connection.ts';
import { isDueToRotate } from '../src/connections/rotation.ts';
import { StallWatch } from '../src/connections/stall-watch.ts';
import { Wheel } from '../src/connections/wheel.ts';
import { Outbox } from '../src/delivery/outbox.ts';
import type { Access } from '../src/rights/access.ts';
import { TestSocket } from './support/memory-board.ts';

afterEach(() => {
  jest.useRealTimers();
});

function access(over: Partial<Access> = {}): Access {
  const expiresMs = Date.now() + 60_000;
  return { userId: 'u1', name: 'ana', roles: ['user'], issuedMs: 0, sessionId: 's1', expiresMs, grants: [], ...over };
}

function connection(of: Access | undefined): OpenConnection & { ends: EndReason[] } {
  const ends: EndReason[] = [];
  const outbox = new Outbox(new TestSocket().asSocket(), { bytesMax: 1, eventsMax: 1, onOverflow: () => {} });
  const end = (reason: EndReason) => void ends.push(reason);
  const base = { number: 1, openedAt: Math.round(performance.now()), transport: 'sse' as const, access: of };
  return { ...base, outbox, ends, end, heartbeat: () => {}, tellStalled: () => {} };
}

describe('connections', () => {
  test('of a session end with it, and no others', () => {
    const connections = new Connections();
    const mine = [connection(access()), connection(access())];
    const other = connection(access({ sessionId: 's2' }));
    for (const each of [...mine, other]) connections.add(each);
    connections.endSession('s1');
    expect(mine.map(({ ends }) => ends)).toEqual([['revoked'], ['revoked']]);
    expect(other.ends).toEqual([]);
  });

  test('end within a second of their token’s end, unless they have got a newer one', () => {
    jest.useFakeTimers();
    const connections = new Connections();
    connections.start();
    const soon = Math.ceil(Date.now() / 1_000) * 1_000 + 2_000;
    const old = connection(access({ expiresMs: soon }));
    const renewed = connection(access({ expiresMs: soon }));
    connections.add(old);
    connections.add(renewed);
    connections.authenticated(renewed, access({ expiresMs: soon + 600_000 }));
    jest.setSystemTime(soon - 300);
    jest.advanceTimersByTime(250);
    expect(old.ends).toEqual([]);
    jest.advanceTimersByTime(500);
    expect(old.ends).toContain('revoked');
    expect(renewed.ends).toEqual([]);
    connections.stop();
  });

  test('are counted for their user until they leave, once, however often that is said', () => {
    const connections = new Connections();
    const open = Array.from({ length: 32 }, () => connection(access()));
    for (const each of open) connections.add(each);
    expect(connections.isFull(access())).toBe(true);
    expect(connections.isFull(access({ roles: ['publisher'] }))).toBe(false);
    connections.remove(open[0]!);
    connections.remove(open[0]!);
    expect(connections.isFull(access())).toBe(false);
    // One that has left is not brought back by a late token.
    connections.authenticated(open[0]!, access());
    for (const each of open) connections.remove(each);
    expect(connections.size).toBe(0);
    connections.endSession('s1');
    expect(open.every(({ ends }) => ends.length === 0)).toBe(true);
  });
});

describe('who has not said its name', () => {
  test('is sent away ten seconds after it came, and not when it has said it or left', () => {
    jest.useFakeTimers();
    const connections = new Connections();
    connections.start();
    const [silent, named, gone] = [connection(undefined), connection(undefined), connection(undefined)];
    for (const each of [silent, named, gone]) connections.add(each);
    jest.advanceTimersByTime(5_000);
    const late = connection(undefined);
    connections.add(late);
    connections.authenticated(named, access());
    expect(connections.remove(gone)).toBe(true);
    expect(connections.remove(gone)).toBe(false);
    jest.advanceTimersByTime(4_700);
    expect(silent.ends).toEqual([]);
    jest.advanceTimersByTime(600);
    expect(silent.ends).toContain('nameless');
    for (const each of [named, gone, late]) expect(each.ends).toEqual([]);
    connections.stop();
  });
});

describe('rotation', () => {
  test('comes at 80 to 100 % of the age allowed, evenly spread over those who came together', () => {
    const maxAgeMs = 10_000;
    const fleet = Array.from({ length: 1_000 }, (_, number) => ({ ...connection(access()), number, openedAt: 0 }));
    const gone = (now: number) => fleet.filter((each) => isDueToRotate(each, maxAgeMs, now)).length;
    expect(gone(7_999)).toBe(0);
    expect(gone(10_000)).toBe(1_000);
    for (let tenth = 1; tenth < 10; tenth += 1) {
      const share = gone(8_000 + tenth * 200) / 1_000;
      expect(Math.abs(share - tenth / 10)).toBeLessThan(0.02);
    }
  });
});

describe('the wheel', () => {
  test('touches each item once a period, spread over it, and not once it has left', () => {
    jest.useFakeTimers();
    const touched = new Map<number, number>();
    const wheel = new Wheel<number>(1_600, (item) => touched.set(item, (touched.get(item) ?? 0) + 1));
    wheel.start();
    for (let item = 0; item < 16; item += 1) {
      wheel.add(item);
      jest.advanceTimersByTime(100);
    }
    expect([...touched.keys()]).toEqual([0]);
    wheel.remove(7);
    jest.advanceTimersByTime(3_200);
    expect(touched.get(1)).toBe(2);
    expect(touched.has(7)).toBe(false);
    wheel.stop();
  });
});

describe('the stall watch', () => {
  const watched = () => {
    const told: (Stalled | undefined)[] = [];
    const source = { isStreaming: true, silentMs: 0 };
    const watch = new StallWatch({
      stalledAfterMs: 5_000,
      isStreaming: () => source.isStreaming,
      logSilentMs: () => source.silentMs,
      onChange: (stalled) => told.push(stalled),
    });
    return { told, source, watch };
  };
  const start = Date.now();
  const since = new Date(start).toISOString();

  test('tells that the log is lost within five seconds, whatever the bus does, and when it is back', () => {
    for (const isStreaming of [true, false]) {
      const { told, source, watch } = watched();
      source.isStreaming = isStreaming;
      for (let after = 0; after <= 4_500; after += 500) {
        source.silentMs = after;
        watch.look(start + after);
        if (after <= 2_500) expect(told).toEqual([]);
      }
      expect(told.at(-1)).toEqual({ since, reason: 'log' });
      expect(watch.stalled).toEqual({ since, reason: 'log' });
      source.silentMs = 10;
      source.isStreaming = true;
      watch.look(start + 6_000);
      watch.look(start + 6_500);
      expect(told.slice(-2)).toEqual([{ since, reason: 'log' }, undefined]);
    }
  });

  test('tells that the bus is lost while the log answers, once, and when it is back', () => {
    const { told, source, watch } = watched();
    source.isStreaming = false;
    for (let after = 0; after <= 20_000; after += 500) {
      watch.look(start + after);
      // It takes up to 1.5 s until the follower knows that the bus is lost.
      expect(told).toHaveLength(after < 3_000 ? 0 : 1);
    }
    expect(told).toEqual([{ since, reason: 'bus' }]);
    source.isStreaming = true;
    watch.look(start + 21_000);
    expect(told).toEqual([{ since, reason: 'bus' }, undefined]);
  });

  test('tells the worse of two losses, and the other one when only that is left', () => {
    const { told, source, watch } = watched();
    source.isStreaming = false;
    for (let after = 0; after <= 4_000; after += 500) watch.look(start + after);
    source.silentMs = 5_000;
    watch.look(start + 9_000);
    source.silentMs = 10;
    watch.look(start + 9_500);
    expect(told.map((stalled) => stalled?.reason)).toEqual(['bus', 'log', 'bus']);
  });

  test('says nothing of a moment without one of them', () => {
    const { told, source, watch } = watched();
    for (let at = 0; at < 20_000; at += 500) {
      source.isStreaming = at % 3_000 === 0;
      source.silentMs = at % 3_000;
      watch.look(start + at);
    }
    expect(told).toEqual([]);
  });
});
