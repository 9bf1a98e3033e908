import { GatewayContender } from '../contenders/gateway-contender.ts';
import { HistorySite } from '../growth/history-site.ts';
import { pageTimes, pageKinds, type PageTimes } from '../growth/page-times.ts';
import type { OptionValues } from '../options.ts';
import { atMost, benchResult, type BenchResult, type BenchRow } from '../result.ts';
import { median, ratios, spread } from '../report/statistics.ts';
import { accessTokens, usersFor } from '../rig/access-token.ts';
import { GatewayRig } from '../rig/gateway-rig.ts';
import { onStage, stageNotes, type Say, type Stage } from '../rig/stage.ts';
import { unbatched } from './fanout-bench.ts';
import { interleave } from './interleave.ts';
import { connectAll } from './lineup.ts';
import { listOfNumbers } from './options.ts';

export const growthHelp = `Whether size costs: CPU of a delivery with 9,900 connections against 500, and the time of a history page in logs of
10,000 events and more, in a real Postgres behind the real chat.

  npm run bench -- growth [--connections 500,9900] [--rounds 5] [--seconds 3] [--events 10000,100000,1000000]

  --events   sizes of the log, rising; 10000000 takes about 10 GB of disk and some minutes
`;

const askedDelivery = 1.4;
/** What "flat" means here: the same within what a machine does from one minute to the next. */
const askedPage = 1.5;

export const benchGrowth = {
  help: growthHelp,
  defaults: { connections: '500,9900', rounds: 5, seconds: 3, events: '10000,100000,1000000' },
  quick: { connections: '500,4000', rounds: 3, seconds: 2, events: '10000,100000' },
  async run(options: OptionValues, say: Say): Promise<BenchResult> {
    const sizes = listOfNumbers(options['connections']);
    const rows: BenchRow[] = [];
    let notes: string[] = [];
    for (const transport of ['sse', 'ws'] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await onStage(say, async (stage) => {
        rows.push(...(await deliveryRows(stage, { transport, sizes, options })));
        notes = stageNotes(stage);
      });
    }
    const logs = listOfNumbers(options['events']);
    await onStage(say, async (stage) => void rows.push(...(await historyRows(stage, logs))), { isPinned: false });
    return benchResult('growth', options, rows, [
      ...notes,
      'History: chat’s own route, one request after the other, nothing pinned; the page holds 50 events.',
    ]);
  },
};

interface DeliveryOptions {
  transport: 'sse' | 'ws';
  sizes: readonly number[];
  options: OptionValues;
}

async function deliveryRows(stage: Stage, { transport, sizes, options }: DeliveryOptions): Promise<BenchRow[]> {
  const { folder, cores } = stage;
  const boards = sizes.map((size) => `with-${size}`);
  const rig = stage.own(await GatewayRig.start({ folder, cores, boards }));
  const tokens = await accessTokens(rig.chat, 2 * usersFor(Math.max(...sizes)));
  const name = transport === 'sse' ? 'SSE' : 'WebSocket';
  const measured = new Map<number, number[]>(sizes.map((size) => [size, []]));
  const entries = [];
  for (const [index, size] of sizes.entries()) {
    const named = { rig, board: boards[index]!, transport, tokens, name: `${name}, ${size} connections` };
    // oxlint-disable-next-line no-await-in-loop -- one board after the other
    entries.push(...(await connectAll(stage, [new GatewayContender(named)], size)));
  }
  for (let round = 1; round <= Number(options['rounds']); round += 1) {
    for (const [index, size] of sizes.entries()) {
      const plan = { ...unbatched(size), seconds: Number(options['seconds']) };
      // oxlint-disable-next-line no-await-in-loop -- sizes take turns
      const done = await interleave([entries[index]!], { rounds: 1, plan, say: stage.say, isWarm: round > 1 });
      measured.get(size)!.push([...done.values()][0]![0]!.microsPerDelivery);
    }
  }
  const of = (size: number) => measured.get(size)!;
  const [least, most] = [sizes[0]!, sizes.at(-1)!];
  const grown = ratios(of(most), of(least));
  return [
    ...sizes.map((size) => ({
      what: `${name}, ${size.toLocaleString('en-US')} connections`,
      value: median(of(size)),
      unit: 'µs',
      note: spread(of(size)),
    })),
    atMost(
      `${name}, a delivery at ${most} / ${least} connections`,
      median(grown),
      '×',
      askedDelivery,
      spread(grown, 2),
    ),
  ];
}

async function historyRows(stage: Stage, sizes: readonly number[]): Promise<BenchRow[]> {
  const site = stage.own(await HistorySite.start(stage));
  const measured: { size: number; times: PageTimes }[] = [];
  for (const size of sizes) {
    // oxlint-disable-next-line no-await-in-loop -- it grows
    await site.fill(size);
    // oxlint-disable-next-line no-await-in-loop
    const times = await pageTimes(site, size);
    measured.push({ size, times });
    const line = pageKinds.map((kind) => `${kind} ${median(times[kind]).toFixed(1)}`);
    stage.say(`  … ${size.toLocaleString('en-US')} events, ms a page: ${line.join(', ')}`);
  }
  const [first, last] = [measured[0]!, measured.at(-1)!];
  return pageKinds.flatMap((kind) => [
    ...measured.map(({ size, times }) => ({
      what: `page ${kind}, ${size.toLocaleString('en-US')} events`,
      value: median(times[kind]),
      unit: 'ms',
    })),
    atMost(
      `page ${kind}, ${last.size} / ${first.size} events`,
      median(last.times[kind]) / median(first.times[kind]),
      '×',
      askedPage,
    ),
  ]);
}
