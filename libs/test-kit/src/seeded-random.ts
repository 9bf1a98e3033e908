/** Random numbers that a failing test can be repeated with. */
export interface SeededRandom {
  readonly seed: number;
  /** 0 ≤ x < 1. */
  next(): number;
  /** A whole number, both ends included. */
  integer(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  shuffle<T>(items: readonly T[]): T[];
  /** A generator of its own that goes on from here: what one round draws doesn't move the next. */
  fork(): SeededRandom;
}

/**
 * A generator (mulberry32) seeded by the argument, else by `BOARDWIRE_TEST_SEED`, else by the clock. It prints its seed,
 * so that a failure can be repeated.
 */
export function seededRandom(
  seed = Number(process.env['BOARDWIRE_TEST_SEED']) || Date.now() % 1_000_000_007,
): SeededRandom {
  process.stderr.write(`seed ${seed} (repeat with BOARDWIRE_TEST_SEED=${seed})\n`);
  return generator(seed);
}

function generator(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const integer = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    seed,
    next,
    integer,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('nothing to pick from');
      return items[integer(0, items.length - 1)] as (typeof items)[number];
    },
    shuffle: (items) => {
      const result = [...items];
      for (let index = result.length - 1; index > 0; index--) {
        const other = integer(0, index);
        [result[index], result[other]] = [
          result[other] as (typeof result)[number],
          result[index] as (typeof result)[number],
        ];
      }
      return result;
    },
    fork: () => generator(integer(0, 0x7fff_ffff)),
  };
}
