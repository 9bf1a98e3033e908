import { setTimeout as sleep } from 'node:timers/promises';
import type { OptionValues } from '../options.ts';
import { atLeast, atMost, benchResult, type BenchResult, type BenchRow } from '../result.ts';
import { startBenchSite, type BenchSite } from '../site/bench-site.ts';
import { percentile } from '../percentile.ts';
import { cpuPerEvent, cpuTimes, othersShare } from '../site/cpu-time.ts';
import { StreamCounter } from '../site/stream-counter.ts';
import { drainBacklog } from './backlog.ts';
import { publishLoad, type LoadResult } from './load.ts';

export const publishHelp = `How many events per second one board accepts, end to end through the public API, and how fast the relay is.

  npm run bench -- publish [--seconds 10] [--batch 256] [--connections 64] [--relay 200000] [--only all]

  --seconds      of each load
  --batch        events in a request of the batch route
  --connections  kept connections of the single posts; the batch route gets an eighth of them
  --relay        events of the backlog that the relay drains
  --only         batch, single or relay: just that part

A follower reads the whole stream meanwhile and must have every event within 5 s of the last 201, the audit log within
30 s. The relay: NATS is killed, the log is filled through chat's internal route, NATS returns, and the time is taken
until the mark has passed the last event. The account has the role admin, which has the programs' row of limits.
`;

const followerMaxMs = 5_000;
const auditMaxMs = 30_000;

export const benchPublish = {
  defaults: { seconds: 10, batch: 256, connections: 64, relay: 200_000, only: 'all' },
  async run(options: OptionValues, say: (text: string) => void): Promise<BenchResult> {
    const { seconds, batch, connections, relay } = options as Record<string, number>;
    const wants = (part: string) => options['only'] === 'all' || options['only'] === part;
    const bench = await startBenchSite(say);
    try {
      const rows: BenchRow[] = [];
      if (wants('single')) {
        say(`  … ${seconds} s of single posts on ${connections} connections`);
        rows.push(...(await load(bench, { batch: 1, connections: connections!, seconds: seconds!, ask: 2_000 })));
      }
      if (wants('batch')) {
        const few = Math.max(1, Math.ceil(connections! / 8));
        say(`  … ${seconds} s of batches of ${batch} on ${few} connections`);
        rows.push(...(await load(bench, { batch: batch!, connections: few, seconds: seconds!, ask: 10_000 })));
      }
      if (wants('relay')) rows.push(...(await relayRows(bench, relay!, say)));
      return benchResult('publish', options, rows, notes);
    } finally {
      await bench.stop();
    }
  },
};

const notes = [
  'Load generator, follower and all processes of the site share the cores of this machine: more cores, more events.',
  'A 201 waits for the commit. On a disk that takes 5 ms to sync, single posts keep their rate (they share commits).',
];

interface Load {
  batch: number;
  connections: number;
  seconds: number;
  ask: number;
}

async function load(bench: BenchSite, { ask, ...options }: Load): Promise<BenchRow[]> {
  const { site, token, userId } = bench;
  const stream = `${site.publicUrl}/v1/boards/events/stream?subject=%3E`;
  const follower = await StreamCounter.open(stream, token);
  // One request beforehand: what is compiled and connected on first use is not what is measured.
  await publishLoad({ url: site.publicUrl, token, userId, ...options, seconds: 1 });
  const before = cpuTimes(site);
  const result = await publishLoad({ url: site.publicUrl, token, userId, ...options });
  const after = cpuTimes(site);
  const cpu = cpuPerEvent(before, after, result.accepted);
  const others = othersShare(before, after);
  const acceptedAt = performance.now();
  const isComplete = await follower.hasReached(result.last, followerMaxMs * 4);
  const followerMs = performance.now() - acceptedAt;
  const auditMs = await auditLagMs(bench, result.last);
  follower.close();
  const what = options.batch === 1 ? 'single posts' : `batches of ${options.batch}`;
  return [
    atLeast(
      `accepted, ${what}`,
      result.accepted / result.seconds,
      'events/s',
      ask,
      `${refusals(result)}; CPU of an event: ${cpu}`,
    ),
    { what: 'used by other programs meanwhile', value: others * 100, unit: '% CPU' },
    { what: `request p50, ${what}`, value: percentile(result.requestMs, 0.5), unit: 'ms' },
    { what: `request p99, ${what}`, value: percentile(result.requestMs, 0.99), unit: 'ms' },
    atMost(`follower complete after the last 201`, isComplete ? followerMs : Infinity, 'ms', followerMaxMs),
    atMost(`holes the follower saw`, follower.gaps, '', 0),
    atMost(`audit complete after the last 201`, auditMs, 'ms', auditMaxMs),
  ];
}

function refusals({ refused }: LoadResult): string {
  return refused === 0 ? 'none refused' : `${refused} refused`;
}

async function auditLagMs({ site, token }: BenchSite, seq: number): Promise<number> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < auditMaxMs * 2) {
    const response = await fetch(`${site.publicUrl}/v1/audit/health`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (response.ok) {
      const { boards } = (await response.json()) as { boards: { board: string; audited: number }[] };
      if ((boards.find(({ board }) => board === 'events')?.audited ?? 0) >= seq) return performance.now() - startedAt;
    }
    await sleep(100);
  }
  return Infinity;
}

async function relayRows({ site }: BenchSite, events: number, say: (text: string) => void): Promise<BenchRow[]> {
  const drain = await drainBacklog(site, events, say);
  return [
    { what: 'append, chat’s internal route', value: events / drain.appendSeconds, unit: 'events/s' },
    atLeast('relay, acknowledged in order', drain.events / drain.drainSeconds, 'events/s', 30_000),
    {
      what: 'from NATS up to the first progress',
      value: (drain.totalSeconds - drain.drainSeconds) * 1_000,
      unit: 'ms',
    },
  ];
}
