import type { OptionValues } from '../options.ts';
import { atLeast, atMost, benchResult, type BenchResult, type BenchRow } from '../result.ts';
import { median, spread } from '../report/statistics.ts';
import { onStage, stageNotes, type Say } from '../rig/stage.ts';
import { connectAll, names, startLineup } from './lineup.ts';
import { measureRound, type Entry, type Round } from './measure-round.ts';
import { listOfNumbers } from './options.ts';

export const saturationHelp = `How many deliveries a second one core makes: events are offered at rising rates, and a rate counts when all of them
arrive with a p99 of at most 60 ms.

  npm run bench -- saturation [--connections 1000] [--rounds 5] [--seconds 2] [--rates 1600,2000]

  --rates   events a second offered to the gateway
`;

const asked = { deliveriesPerSecond: 1_500_000, p99Ms: 60, generatorFactor: 3 };
/** Feeders wake so often; what is due by then goes out together. More often, they would spin on the core of the load generator. */
const feedsPerSecond = 150;
/** What is offered to those who can't take it: only how long they need for it counts. */
const floodSeconds = 0.5;

export const benchSaturation = {
  help: saturationHelp,
  defaults: { connections: 1_000, rounds: 5, seconds: 2, rates: '1600,2000' },
  quick: { rounds: 3, seconds: 1, rates: '1600,3000' },
  run: (options: OptionValues, say: Say): Promise<BenchResult> =>
    onStage(say, async (stage) => {
      const connections = Number(options['connections']);
      const entries = await connectAll(stage, await startLineup(stage, connections), connections);
      const of = (name: string) => entries.find(({ contender }) => contender.name === name)!;
      const rounds = Number(options['rounds']);
      const rows = [await generatorRow(of(names.floor), rounds)];
      for (const name of [names.sse, names.ws]) {
        const rates = listOfNumbers(options['rates']);
        // oxlint-disable-next-line no-await-in-loop -- one at a time
        const measured = await offer(of(name), { rates, rounds, seconds: Number(options['seconds']), say });
        rows.push(...saturationRows(name, connections, measured));
      }
      for (const name of [names.socketIo, names.nest]) {
        // oxlint-disable-next-line no-await-in-loop
        rows.push(await floodRow(of(name), rounds, say));
      }
      return benchResult('saturation', options, rows, [
        ...stageNotes(stage),
        `Events are offered in portions, ${feedsPerSecond} a second. The load generator and the feeder share what the server leaves.`,
      ]);
    }),
};

/** The generator must be able to take far more than what is asked of the server. */
async function generatorRow(floor: Entry, rounds: number): Promise<BenchRow> {
  const taken: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const rate = 20_000;
    // oxlint-disable-next-line no-await-in-loop
    const { deliveriesPerSecond } = await measureRound(floor, { rate, burst: 100, seconds: 0.2, isBatched: true });
    taken.push(deliveriesPerSecond);
  }
  const ask = asked.generatorFactor * asked.deliveriesPerSecond;
  return atLeast('load generator behind C, bursts of 100', median(taken), '/s', ask, 'three times what is asked');
}

interface OfferOptions {
  rates: readonly number[];
  rounds: number;
  seconds: number;
  say: Say;
}

/** By offered rate; the rates take turns. */
async function offer(entry: Entry, { rates, rounds, seconds, say }: OfferOptions): Promise<Map<number, Round[]>> {
  const measured = new Map<number, Round[]>(rates.map((rate) => [rate, []]));
  await measureRound(entry, plan(rates[0]!, seconds));
  for (let round = 1; round <= rounds; round += 1) {
    for (const rate of rates) {
      // oxlint-disable-next-line no-await-in-loop
      measured.get(rate)!.push(await measureRound(entry, plan(rate, seconds)));
    }
    const line = rates.map((rate) => {
      const { deliveriesPerSecond, p99Ms } = measured.get(rate)!.at(-1)!;
      return `${rate}/s → ${(deliveriesPerSecond / 1e6).toFixed(2)} M/s, p99 ${p99Ms.toFixed(0)} ms`;
    });
    say(`  … ${entry.contender.name}, round ${round} of ${rounds}: ${line.join(' · ')}`);
  }
  return measured;
}

function plan(rate: number, seconds: number) {
  return { rate, burst: Math.max(1, Math.round(rate / feedsPerSecond)), seconds, isBatched: true };
}

function saturationRows(name: string, connections: number, measured: Map<number, Round[]>): BenchRow[] {
  const rates = [...measured].map(([rate, rounds]) => ({
    rate,
    p99Ms: median(rounds.map((round) => round.p99Ms)),
    p99: spread(rounds.map((round) => round.p99Ms)),
    micros: median(rounds.map((round) => round.microsPerDelivery)),
    perSecond: median(rounds.map(({ deliveriesPerSecond }) => deliveriesPerSecond)),
  }));
  const isMet = rates.filter(({ p99Ms }) => p99Ms <= asked.p99Ms);
  const best = Math.max(0, ...isMet.map(({ perSecond }) => perSecond));
  const atAsked = rates.find(({ rate }) => rate * connections >= asked.deliveriesPerSecond) ?? rates.at(-1)!;
  return [
    atLeast(`${name}, most deliveries with p99 ≤ ${asked.p99Ms} ms`, best, '/s', asked.deliveriesPerSecond),
    atMost(`${name}, p99 at ${millions(atAsked.rate * connections)}`, atAsked.p99Ms, 'ms', asked.p99Ms, atAsked.p99),
    ...rates.map(({ rate, perSecond, p99Ms, micros }) => ({
      what: `${name}, offered ${millions(rate * connections)}`,
      value: perSecond,
      unit: '/s',
      note: `p99 ${p99Ms.toFixed(1)} ms, ${micros.toFixed(2)} µs a delivery`,
    })),
  ];
}

function millions(perSecond: number): string {
  return `${(perSecond / 1e6).toFixed(1)} million/s`;
}

/** Far more than it can take at once: its rate until the last event has arrived. */
async function floodRow(entry: Entry, rounds: number, say: Say): Promise<BenchRow> {
  const taken: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // oxlint-disable-next-line no-await-in-loop
    const measured = await measureRound(entry, { rate: 200, burst: 1, seconds: floodSeconds, isBatched: false });
    taken.push(measured.deliveriesPerSecond);
  }
  say(`  … ${entry.contender.name}: ${Math.round(median(taken)).toLocaleString('en-US')} deliveries/s`);
  return { what: `${entry.contender.name}, flooded`, value: median(taken), unit: '/s', note: spread(taken, 0) };
}
