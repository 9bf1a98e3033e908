import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayContender, type GatewayTransport } from '../contenders/gateway-contender.ts';
import { LoadGenerator } from '../load/load-generator.ts';
import type { OptionValues } from '../options.ts';
import { atLeast, atMost, benchResult, type BenchResult, type BenchRow } from '../result.ts';
import { median, ratios, spread } from '../report/statistics.ts';
import { accessTokens, usersFor } from '../rig/access-token.ts';
import { GatewayRig } from '../rig/gateway-rig.ts';
import { residentKb } from '../rig/process-usage.ts';
import { onStage, stageNotes, type Say, type Stage } from '../rig/stage.ts';
import { assertComplete } from './measure-round.ts';

export const stalledHelp = `A tenth of the clients stops reading while more than 8 MB are sent to each: what the others notice, what it costs in
memory, and whether the stalled are ended and counted.

  npm run bench -- stalled [--connections 100] [--percent 10] [--rounds 5] [--seconds 6]
`;

interface Run {
  p99Ms: number;
  grownMb: number;
  /** Of the stalled, those that the server has ended. */
  closed: number;
  stalled: number;
}

const eventBytes = 16_000;
const rate = 100;
/** What one that doesn't read may hold of the gateway's memory, and what a heap may grow meanwhile. */
const bounds = { outboxMb: 1, heapMb: 64 };
const closesWithinMs = 8_000;

export const benchStalled = {
  help: stalledHelp,
  defaults: { connections: 100, percent: 10, rounds: 5, seconds: 6 },
  quick: { rounds: 3 },
  run: (options: OptionValues, say: Say): Promise<BenchResult> =>
    onStage(say, async (stage) => {
      const connections = Number(options['connections']);
      const { folder, cores } = stage;
      const rig = stage.own(await GatewayRig.start({ folder, cores, boards: ['sse', 'ws'] }));
      const tokens = await accessTokens(rig.chat, usersFor(connections));
      const rows: BenchRow[] = [];
      for (const transport of ['sse', 'ws'] as const) {
        const contender = new GatewayContender({ rig, board: transport, transport, tokens, eventBytes });
        // oxlint-disable-next-line no-await-in-loop -- one transport at a time
        rows.push(...stalledRows(contender.name, await measure(stage, { rig, contender, transport, options })));
      }
      const megabytes = ((rate * eventBytes * Number(options['seconds'])) / 1e6).toFixed(1);
      return benchResult('stalled', options, rows, [
        ...stageNotes(stage),
        `${megabytes} MB to each client, in events of ${eventBytes / 1_000} KB; rounds with and without stalled clients take turns.`,
      ]);
    }),
};

interface MeasureOptions {
  rig: GatewayRig;
  contender: GatewayContender;
  transport: GatewayTransport;
  options: OptionValues;
}

async function measure(stage: Stage, given: MeasureOptions): Promise<{ without: Run[]; among: Run[] }> {
  const percent = Number(given.options['percent']);
  const rounds = Number(given.options['rounds']);
  const without: Run[] = [];
  const among: Run[] = [];
  await runOnce(stage, given, 0);
  for (let round = 1; round <= rounds; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- they take turns
    without.push(await runOnce(stage, given, 0));
    // oxlint-disable-next-line no-await-in-loop
    among.push(await runOnce(stage, given, percent));
    const { p99Ms, closed, stalled } = among.at(-1)!;
    const before = without.at(-1)!.p99Ms;
    stage.say(
      `  … ${given.contender.name}, round ${round} of ${rounds}: p99 ${before.toFixed(1)} ms, among stalled ${p99Ms.toFixed(1)} ms, ` +
        `${closed} of ${stalled} ended`,
    );
  }
  return { without, among };
}

async function runOnce(
  stage: Stage,
  { rig, contender, transport, options }: MeasureOptions,
  percent: number,
): Promise<Run> {
  const connections = Number(options['connections']);
  const stalled = Array.from({ length: connections }).filter((_, index) => index % 100 < percent).length;
  const { programs, cores } = stage;
  const { load } = await LoadGenerator.open({
    program: programs.load,
    target: contender.target,
    connections,
    core: cores?.load,
    stalledPercent: percent,
  });
  try {
    const closes = () => rig.metric('boardwire_closes_total', transport === 'sse' ? 'code="slow"' : 'code="4008"');
    const [closedBefore, memoryBefore] = [await closes(), residentKb(contender.pid)];
    load.go(contender.next);
    const plan = { rate, burst: 1, seconds: Number(options['seconds']), isBatched: false };
    const events = await contender.feed(plan);
    await load.drained(events * (connections - stalled));
    const grownMb = (residentKb(contender.pid) - memoryBefore) / 1_024;
    const report = await load.halt();
    if (report.open < connections - stalled) {
      throw new Error(`${contender.name}: ${connections - stalled - report.open} that read were ended as well`);
    }
    assertComplete(contender.name, { ...report, lost: 0 }, { events, connections: connections - stalled });
    const deadline = performance.now() + closesWithinMs;
    // oxlint-disable-next-line no-await-in-loop -- an end is counted when the socket has gone
    while ((await closes()) - closedBefore < stalled && performance.now() < deadline) await sleep(100);
    return { p99Ms: report.p99Ms, grownMb, closed: (await closes()) - closedBefore, stalled };
  } finally {
    await load.close();
    await sleep(500);
  }
}

function stalledRows(name: string, { without, among }: { without: Run[]; among: Run[] }): BenchRow[] {
  const p99 = (runs: readonly Run[]) => runs.map(({ p99Ms }) => p99Ms);
  const slower = ratios(p99(among), p99(without));
  const extra = among.map(({ grownMb }, round) => grownMb - without[round]!.grownMb);
  const stalled = among[0]!.stalled;
  const ended = Math.min(...among.map(({ closed }) => closed));
  return [
    { what: `${name}, p99 without stalled`, value: median(p99(without)), unit: 'ms', note: spread(p99(without)) },
    { what: `${name}, p99 among stalled`, value: median(p99(among)), unit: 'ms', note: spread(p99(among)) },
    atMost(`${name}, p99 among stalled / without`, median(slower), '×', 1.5, spread(slower, 2)),
    atMost(
      `${name}, memory that stalled clients add`,
      Math.max(0, median(extra)),
      'MB',
      stalled * bounds.outboxMb + bounds.heapMb,
      `${stalled} stalled`,
    ),
    atLeast(`${name}, stalled clients ended and counted`, ended, 'each', stalled),
  ];
}
