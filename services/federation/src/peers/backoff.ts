const firstMs = 500;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** For how long it has failed, and how long a wait then is at most. */
const stages: readonly { untilMs: number; maxMs: number }[] = [
  { untilMs: 10 * minuteMs, maxMs: minuteMs },
  { untilMs: 24 * hourMs, maxMs: 10 * minuteMs },
  { untilMs: Infinity, maxMs: hourMs },
];

export interface Failing {
  /** Attempts that failed one after the other; at least 1. */
  attempts: number;
  /** Since the first of them, milliseconds. */
  forMs: number;
}

/**
 * How long to wait before a peer is dialled again, milliseconds: exponential from half a second, with full jitter, so that
 * peers of one that was away don't all come back at once. A peer is never given up: after a day it is tried hourly.
 * @param random from 0 to below 1
 */
export function backoffMs({ attempts, forMs }: Failing, random: number): number {
  const { maxMs } = stages.find(({ untilMs }) => forMs < untilMs)!;
  return Math.round(random * Math.min(maxMs, firstMs * 2 ** Math.min(attempts, 32)));
}
