import type { Contender, FeedPlan } from '../contenders/contender.ts';
import type { LoadGenerator, LoadReport } from '../load/load-generator.ts';

/** A contender with clients on it. */
export interface Entry {
  contender: Contender;
  load: LoadGenerator;
}

export interface Round {
  microsPerDelivery: number;
  deliveriesPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  report: LoadReport;
}

/** Feeds a contender and waits until everything has arrived. @throws when an event is missing or came twice. */
export async function measureRound({ contender, load }: Entry, plan: FeedPlan): Promise<Round> {
  load.go(contender.next);
  const cpuBefore = await load.cpuMs(contender.pid);
  const began = performance.now();
  const sent = await contender.feed(plan);
  await load.drained(sent * load.connections);
  const tookMs = performance.now() - began;
  const usedMs = (await load.cpuMs(contender.pid)) - cpuBefore;
  const report = await load.halt();
  assertComplete(contender.name, report, { events: sent, connections: load.connections });
  return {
    microsPerDelivery: (usedMs * 1_000) / report.deliveries,
    deliveriesPerSecond: (report.deliveries * 1_000) / tookMs,
    p50Ms: report.p50Ms,
    p99Ms: report.p99Ms,
    report,
  };
}

export function assertComplete(
  name: string,
  report: LoadReport,
  expected: { events: number; connections: number },
): void {
  const { deliveries, gaps, duplicates, lost, least, most } = report;
  const { events, connections } = expected;
  const isComplete = deliveries === events * connections && least === events && most === events;
  if (isComplete && gaps === 0 && duplicates === 0 && lost === 0) return;
  throw new Error(
    `${name}: ${deliveries} of ${events * connections} deliveries, ${gaps} gaps, ${duplicates} repeats, ` +
      `${lost} connections lost, ${least} to ${most} of ${events} events on a connection`,
  );
}
