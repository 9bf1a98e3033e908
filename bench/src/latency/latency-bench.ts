import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { OptionValues } from '../options.ts';
import { percentile } from '../percentile.ts';
import { atMost, benchResult, type BenchResult } from '../result.ts';
import { startBenchSite, type BenchSite } from '../site/bench-site.ts';
import { StreamCounter } from '../site/stream-counter.ts';

export const latencyHelp = `How long an event takes from the post to a follower's socket on an idle site: gateway, chat, Postgres commit,
relay, JetStream, gateway, SSE.

  npm run bench -- latency [--posts 1000] [--pause 10]

  --posts   one after the other
  --pause   milliseconds between an event's arrival and the next post
`;

const arrivalMaxMs = 10_000;
const warmUpPosts = 100;

export const benchLatency = {
  defaults: { posts: 1_000, pause: 10 },
  async run(options: OptionValues, say: (text: string) => void): Promise<BenchResult> {
    const { posts, pause } = options as Record<string, number>;
    const bench = await startBenchSite(say);
    try {
      await measure(bench, warmUpPosts, pause!);
      say(`  … ${posts} posts, one after the other`);
      const { received, accepted } = await measure(bench, posts!, pause!);
      const rows = [
        atMost('post → received, p50', percentile(received, 0.5), 'ms', 8),
        atMost('post → received, p99', percentile(received, 0.99), 'ms', 30),
        { what: 'post → received, max', value: Math.max(...received), unit: 'ms' },
        { what: 'post → 201, p50', value: percentile(accepted, 0.5), unit: 'ms' },
        { what: 'post → 201, p99', value: percentile(accepted, 0.99), unit: 'ms' },
      ];
      return benchResult('latency', options, rows, [
        'Poster and follower are one process, so one clock. The event may arrive before its 201: the log is committed then.',
      ]);
    } finally {
      await bench.stop();
    }
  },
};

async function measure({ site, token }: BenchSite, posts: number, pause: number) {
  const pool = new Pool(site.publicUrl, { connections: 1, pipelining: 1 });
  const follower = await StreamCounter.open(`${site.publicUrl}/v1/boards/events/stream?subject=%3E`, token);
  const received: number[] = [];
  const accepted: number[] = [];
  try {
    for (let post = 0; post < posts; post += 1) {
      await sleep(pause);
      const arrival = nextArrival(follower);
      const sentAt = performance.now();
      accepted.push((await postOnce(pool, token, post)) - sentAt);
      received.push((await arrival) - sentAt);
    }
  } finally {
    follower.close();
    await pool.close();
  }
  return { received, accepted };
}

function nextArrival(follower: StreamCounter): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing arrived within ${arrivalMaxMs} ms`)), arrivalMaxMs);
    follower.onSeq(() => {
      clearTimeout(timer);
      resolve(performance.now());
    });
  });
}

async function postOnce(pool: Pool, token: string, number: number): Promise<number> {
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: '/v1/boards/events/events',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ subject: 'GameScore.bench', type: 'game.score', data: { number } }),
  });
  const text = await body.text();
  if (statusCode !== 201) throw new Error(`a post answered ${statusCode}: ${text}`);
  return performance.now();
}
