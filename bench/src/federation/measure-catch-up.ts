import { publishLoad } from '../publish/load.ts';
import { cpuPerEvent, cpuTimes } from '../site/cpu-time.ts';
import { StreamCounter } from '../site/stream-counter.ts';
import { FeedWatch } from './feed-watch.ts';
import { intakeSeconds } from './intake-seconds.ts';
import type { TwoSites } from './two-sites.ts';

export interface CatchUp {
  events: number;
  /** Events a second between the first and the last that the receiving service stored. */
  mergedPerSecond: number;
  /** From the service's start until this many, or all, were on the other site's board and at a follower. */
  tenThousandMs: number;
  allMs: number;
  /** Of the merging time: how much of it a batch was in a step. */
  steps: Record<string, number>;
  /** CPU an event, by process, on both sites. */
  cpu: string;
  gaps: number;
}

const catchUpMaxMs = 120_000;
const feedMaxMs = 120_000;

/** One site's federation is away while the other gets so many events; then it comes back. */
export async function measureCatchUp({ a, b, aId }: TwoSites, events: number): Promise<CatchUp> {
  const federation = b.site.services['federation']!;
  const here = await FeedWatch.open(b, aId);
  const there = await FeedWatch.open(a, aId);
  await federation.stop();
  const follower = await StreamCounter.open(`${b.site.publicUrl}/v1/boards/events/stream?subject=%3E`, b.token);
  try {
    const from = await here.n();
    const target = (await there.n()) + (await fill(a, events));
    await there.until(target, feedMaxMs);
    const before = { a: cpuTimes(a.site), b: cpuTimes(b.site) };
    const startedAt = performance.now();
    const merging = here.until(target, catchUpMaxMs);
    await federation.start();
    const tenThousandMs = reached(follower, Math.min(10_000, target - from), startedAt);
    const allMs = reached(follower, target - from, startedAt);
    const seen = (await merging).filter(({ n }) => n > from);
    const [first, last] = [seen[0]!, seen.at(-1)!];
    const wallSeconds = (last.atMs - first.atMs) / 1_000;
    const result = { tenThousandMs: await tenThousandMs, allMs: await allMs };
    const after = { a: cpuTimes(a.site), b: cpuTimes(b.site) };
    return {
      events: target - from,
      mergedPerSecond: (last.n - first.n) / wallSeconds,
      ...result,
      steps: shares(await intakeSeconds(federation.internalUrl), wallSeconds),
      cpu: `A ${cpuPerEvent(before.a, after.a, events)}; B ${cpuPerEvent(before.b, after.b, events)}`,
      gaps: follower.gaps,
    };
  } finally {
    follower.close();
    await Promise.all([here.close(), there.close()]);
    await federation.start();
  }
}

async function fill({ site, token, userId }: TwoSites['a'], events: number): Promise<number> {
  const load = { url: site.publicUrl, token, userId, connections: 2, batch: 250, seconds: 120 };
  const { accepted, refused } = await publishLoad({ ...load, events });
  if (refused > 0 || accepted < events) throw new Error(`${refused} events were refused, ${accepted} accepted`);
  return accepted;
}

async function reached(follower: StreamCounter, count: number, startedAt: number): Promise<number> {
  const deadline = startedAt + catchUpMaxMs;
  while (follower.count < count) {
    if (performance.now() > deadline) throw new Error(`${follower.count} of ${count} events came`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - startedAt;
}

const shares = (seconds: Record<string, number>, wallSeconds: number) =>
  Object.fromEntries(Object.entries(seconds).map(([step, value]) => [step, value / wallSeconds]));
