import type { Loop } from '@boardwire/service-kit';

const everyMs = 250;

/** Work whose every statement has a timeout of its own: it may take longer than a beat, and can't hang. */
export async function beating<T>(loop: Pick<Loop, 'beat'>, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => loop.beat(), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
