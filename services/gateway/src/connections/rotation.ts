import type { OpenConnection } from './open-connection.ts';

/** Multiples of the golden ratio, less their whole part, fall far from each other however many there are. */
const goldenRatio = 0.618_033_988_749_895;

/**
 * Nobody stays for ever on one pod, so that after a deployment or an outage the load evens out again. Each goes at a
 * moment of its own in the last fifth of the age allowed: those who came together don't leave together.
 */
export function isDueToRotate(
  { number, openedAt }: OpenConnection,
  maxAgeMs: number,
  now = performance.now(),
): boolean {
  const share = 0.8 + 0.2 * ((number * goldenRatio) % 1);
  return now - openedAt >= maxAgeMs * share;
}
