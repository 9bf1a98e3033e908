import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

export interface Pace {
  /** Events a second. */
  rate: number;
  /** Events that are sent together. */
  burst: number;
  seconds: number;
}

/** Below this a timer is too coarse: it would make bursts of what shall come one by one. */
const timerMinMs = 2;

/** Calls `send` with the size of each burst when it is due, and late ones at once. @returns how many were sent. */
export async function pace(
  { rate, burst, seconds }: Pace,
  send: (count: number) => void | Promise<void>,
): Promise<number> {
  const count = Math.max(1, Math.round(rate * seconds));
  const began = performance.now();
  let sent = 0;
  while (sent < count) {
    const waitMs = began + (sent / rate) * 1_000 - performance.now();
    // oxlint-disable-next-line no-await-in-loop -- one burst after the other
    if (waitMs > timerMinMs) await sleep(waitMs);
    // oxlint-disable-next-line no-await-in-loop
    else if (waitMs > 0) await nextTurn();
    if (waitMs > 0) continue;
    const next = Math.min(burst, count - sent);
    sent += next;
    // oxlint-disable-next-line no-await-in-loop
    await send(next);
  }
  return sent;
}
