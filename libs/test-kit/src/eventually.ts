import { setTimeout as sleep } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Default 5,000. */
  timeoutMs?: number;
  /** Default 25. */
  everyMs?: number;
}

/**
 * Repeats the assertion until it no longer throws (nor rejects), and returns its result; at the deadline it fails with
 * the assertion's own last error. For what can't be awaited as an event.
 */
export async function eventually<T>(assertion: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const { timeoutMs = 5_000, everyMs = 25 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() >= deadline) {
        if (error instanceof Error) error.message = `not within ${timeoutMs} ms: ${error.message}`;
        throw error;
      }
    }
    await sleep(everyMs);
  }
}
