import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '@boardwire/test-kit';
import fc from 'fast-check';
import { Runs } from '../src/proving/runs.ts';

const { seed } = seededRandom();

/** What a set of all numbers says, counted one by one. */
function naiveHoles(numbers: ReadonlySet<number>, first: number): [number, number][] {
  const holes: [number, number][] = [];
  for (let number = first; number <= Math.max(0, ...numbers); number += 1) {
    if (numbers.has(number)) continue;
    const open = holes.at(-1);
    if (open !== undefined && open[1] === number - 1) open[1] = number;
    else holes.push([number, number]);
  }
  return holes;
}

describe('runs of numbers', () => {
  test('in any order know what a set knows: doubles, holes, ends', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 }), (numbers) => {
        const [runs, set] = [new Runs(), new Set<number>()];
        for (const number of numbers) {
          expect(runs.add(number)).toBe(!set.has(number));
          set.add(number);
        }
        expect(runs.holes()).toEqual(naiveHoles(set, 1));
        expect(runs.last).toBe(Math.max(0, ...set));
        expect(runs.first).toBe(set.size === 0 ? 0 : Math.min(...set));
        for (let from = 1; from <= 62; from += 1) {
          let missing = from;
          while (set.has(missing)) missing += 1;
          expect(runs.firstMissing(from)).toBe(missing);
        }
      }),
      { seed, numRuns: 500 },
    );
  });

  test('without holes cost nothing, however many they are', () => {
    const runs = new Runs();
    for (let number = 1; number <= 200_000; number += 1) runs.add(number);
    expect(runs.holes()).toEqual([]);
  });

  test('with too many holes are given up', () => {
    const runs = new Runs();
    expect(() => {
      for (let number = 1; number <= 400_000; number += 2) runs.add(number);
    }).toThrow('more than 100000 holes');
  });
});
