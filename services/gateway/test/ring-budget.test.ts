import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '@boardwire/test-kit';
import { BoardRing } from '../src/delivery/board-ring.ts';
import { RingBudget } from '../src/delivery/ring-budget.ts';
import { logEvent } from './support/memory-board.ts';

const bounds = { eventsMax: 50, bytesMax: 20_000 };

describe('the rings of a pod together', () => {
  test('never hold more than their budget, count right, and keep what came last', () => {
    const random = seededRandom();
    const letGo = { events: 0 };
    const budget = new RingBudget(60_000, (events) => (letGo.events += events));
    const rings = Array.from({ length: 30 }, () => new BoardRing(0, { ...bounds, budget }));
    for (let step = 0; step < 3_000; step += 1) {
      const at = random.integer(0, rings.length - 1);
      const ring = rings[at]!;
      const action = random.integer(0, 19);
      if (action === 0) {
        ring.close();
        expect([ring.size, ring.bytes]).toEqual([0, 0]);
        rings[at] = new BoardRing(ring.last, { ...bounds, budget });
      } else if (action === 1 && ring.oldest > 1) ring.prepend(logEvent(ring.oldest - 1, 'a'));
      else if (action === 2) ring.redact(random.integer(ring.oldest, ring.last + 1));
      else {
        for (let count = random.integer(1, 8); count > 0; count -= 1) ring.append(logEvent(ring.last + 1, 'a'));
        ring.touched();
        expect(ring.get(ring.last)?.seq).toBe(ring.last);
      }
      expect(budget.bytes).toBe(rings.reduce((sum, { bytes }) => sum + bytes, 0));
      expect(budget.bytes).toBeLessThanOrEqual(60_000);
    }
    expect(letGo.events).toBeGreaterThan(100);
  });

  test('the board that has been quiet for longest makes room first', () => {
    const budget = new RingBudget(20_000, () => {});
    const [quiet, busy] = [new BoardRing(0, { ...bounds, budget }), new BoardRing(0, { ...bounds, budget })];
    const fill = (ring: BoardRing, events: number) => {
      for (let count = 0; count < events; count += 1) ring.append(logEvent(ring.last + 1, 'a'));
      ring.touched();
    };
    fill(quiet, 30);
    fill(busy, 10);
    fill(busy, 35);
    expect(busy.size).toBe(45);
    expect(quiet.size).toBeLessThan(30);
    expect(quiet.last).toBe(30);
    fill(busy, 25);
    expect([quiet.size, busy.size]).toEqual([expect.any(Number), 50]);
  });

  test('a ring that is closed takes nothing more from who was still filling it', () => {
    const budget = new RingBudget(20_000, () => {});
    const ring = new BoardRing(5, { ...bounds, budget });
    ring.close();
    expect(ring.prepend(logEvent(5, 'a'))).toBe(false);
    expect(budget.bytes).toBe(0);
  });
});
