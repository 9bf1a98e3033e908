import { setTimeout as sleep } from 'node:timers/promises';

const readyTimeoutMs = 60_000;
const answerTimeoutMs = 2_000;

/** Asks `/readyz` until the service says it is ready; `isGone` ends the wait early. */
export async function waitUntilReady(
  name: string,
  internalUrl: string,
  isGone: () => boolean = () => false,
): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs;
  let last = 'it did not answer';
  while (performance.now() < deadline) {
    if (isGone()) throw new Error(`${name} ended before it was ready`);
    const answer = await ask(internalUrl);
    if (answer === 'ready') return;
    last = answer;
    await sleep(25);
  }
  throw new Error(`${name} was not ready within ${readyTimeoutMs / 1000} s: ${last}`);
}

async function ask(internalUrl: string): Promise<string> {
  try {
    const response = await fetch(`${internalUrl}/readyz`, { signal: AbortSignal.timeout(answerTimeoutMs) });
    const text = await response.text();
    return response.ok ? 'ready' : text.slice(0, 500);
  } catch (error) {
    return ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message;
  }
}
