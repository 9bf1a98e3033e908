import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { Arrivals } from './arrivals.ts';
import type { TwoSites } from './two-sites.ts';

export interface Across {
  /** Milliseconds from the post's sending to the socket of a follower on the other site. */
  received: number[];
  /** From the answer to the post, which comes after its commit. */
  committed: number[];
  lost: number;
  repeats: number;
}

const arrivalMaxMs = 10_000;
const subject = 'GameScore.across';

/** Posts on one site at a steady rate, whatever the answers take, and waits for each on the other. */
export async function measureAcross(
  { a, b }: TwoSites,
  { rate, seconds, first }: { rate: number; seconds: number; first: number },
): Promise<Across> {
  const arrivals = await Arrivals.open(`${b.site.publicUrl}/v1/boards/events/stream?subject=${subject}`, b.token);
  const pool = new Pool(a.site.publicUrl, { connections: 16, pipelining: 1 });
  const posts = rate * seconds;
  const times: { sentAt: number; answeredAt: number }[] = [];
  const startedAt = performance.now();
  const post = async (number: number) => {
    const sentAt = performance.now();
    await postOnce(pool, a.token, number);
    times[number - first] = { sentAt, answeredAt: performance.now() };
  };
  try {
    const running: Promise<void>[] = [];
    for (let n = 0; n < posts; n += 1) {
      await sleep(Math.max(0, startedAt + (n * 1_000) / rate - performance.now()));
      running.push(post(first + n));
    }
    await Promise.all(running);
    for (let waitedMs = 0; arrivals.at.size < posts && waitedMs < arrivalMaxMs; waitedMs += 20) await sleep(20);
  } finally {
    arrivals.close();
    await pool.close();
  }
  const came = times.flatMap((time, n) => {
    const at = arrivals.at.get(first + n);
    return at === undefined ? [] : { ...time, at };
  });
  return {
    received: came.map(({ at, sentAt }) => at - sentAt),
    committed: came.map(({ at, answeredAt }) => Math.max(0, at - answeredAt)),
    lost: posts - came.length,
    repeats: arrivals.repeats,
  };
}

async function postOnce(pool: Pool, token: string, number: number): Promise<void> {
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: '/v1/boards/events/events',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ subject, type: 'game.score', data: { text: 'x'.repeat(160), number } }),
  });
  const text = await body.text();
  if (statusCode !== 201) throw new Error(`a post answered ${statusCode}: ${text}`);
}
