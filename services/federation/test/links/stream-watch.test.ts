import { expect, test } from '@jest/globals';
import { StreamWatch } from '../../src/links/stream-watch.ts';

test('who stands still while there is more is deaf, after a longer while each time; who moves never is', () => {
  let now = 1_000;
  const watch = new StreamWatch(() => now);
  const after = (ms: number, place: number | undefined) => {
    now += ms;
    return watch.isDeaf(place);
  };
  expect(after(0, undefined)).toBe(false);
  expect([after(0, 5), after(2_900, 5), after(2_900, 6), after(2_900, 7), after(2_900, 7)]).not.toContain(true);
  expect(after(100, 7)).toBe(true);
  expect([after(100, 7), after(5_800, 7), after(100, 7)]).toEqual([false, false, true]);
  // It has all there is, and so begins anew.
  expect([after(100, undefined), after(100, 8), after(2_900, 8), after(100, 8)]).toEqual([false, false, false, true]);
});
