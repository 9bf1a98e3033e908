import type { OptionValues } from '../options.ts';
import { percentile } from '../percentile.ts';
import { atLeast, atMost, benchResult, type BenchResult, type BenchRow } from '../result.ts';
import { cpuTimes, othersShare, type CpuTimes } from '../site/cpu-time.ts';
import { measureAcross, type Across } from './measure-across.ts';
import { measureCatchUp, type CatchUp } from './measure-catch-up.ts';
import { startTwoSites, type TwoSites } from './two-sites.ts';

const help = `Two whole sites on this machine share a board.

  npm run bench -- federation [--rate 50] [--seconds 30] [--events 20000] [--rounds 3]

  --rate     posts a second on one site, each awaited on the other
  --seconds  how long
  --events   posted while the other site's federation service is away; then it catches up
  --rounds   absences; the median counts
`;

const warmUpSeconds = 3;

export const benchFederation = {
  help,
  defaults: { rate: 50, seconds: 30, events: 20_000, rounds: 3 },
  quick: { seconds: 10, events: 10_000, rounds: 1 },
  async run(options: OptionValues, say: (text: string) => void): Promise<BenchResult> {
    const { rate, seconds, events, rounds } = options as Record<'rate' | 'seconds' | 'events' | 'rounds', number>;
    const sites = await startTwoSites(say);
    try {
      await measureAcross(sites, { rate, seconds: warmUpSeconds, first: 1 });
      say(`  … ${rate} posts a second for ${seconds} s`);
      const before = bothTimes(sites);
      const across = await measureAcross(sites, { rate, seconds, first: 1_000_000 });
      const caught: CatchUp[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        caught.push(await measureCatchUp(sites, events));
        say(`  … absence ${round}: ${told(caught.at(-1)!)}`);
      }
      const others = othersShare(before, bothTimes(sites));
      const rows = [...acrossRows(across), ...catchUpRows(caught)];
      return benchResult('federation', options, rows, notesOf(caught, others));
    } finally {
      await sites.stop();
    }
  },
};

/** The load generator is one for both. */
function bothTimes({ a, b }: TwoSites): CpuTimes {
  const [times, others] = [cpuTimes(a.site), cpuTimes(b.site)];
  const ofB = Object.entries(others.byName).filter(([name]) => name !== 'load generator');
  return {
    ...times,
    byName: { ...times.byName, ...Object.fromEntries(ofB.map(([name, ms]) => [`${name} of B`, ms])) },
  };
}

function acrossRows({ received, committed, lost, repeats }: Across): BenchRow[] {
  return [
    { what: 'post → other site’s SSE, p50', value: percentile(received, 0.5), unit: 'ms' },
    atMost('post → other site’s SSE, p99', percentile(received, 0.99), 'ms', 250),
    { what: 'post → other site’s SSE, max', value: Math.max(...received), unit: 'ms' },
    { what: '201 → other site’s SSE, p50', value: percentile(committed, 0.5), unit: 'ms' },
    { what: '201 → other site’s SSE, p99', value: percentile(committed, 0.99), unit: 'ms' },
    atMost('lost or twice', lost + repeats, 'events', 0),
  ];
}

function catchUpRows(rounds: readonly CatchUp[]): BenchRow[] {
  const median = (value: (round: CatchUp) => number) => percentile(rounds.map(value), 0.5);
  const steps = ['verify', 'store', 'hand_over'];
  return [
    atLeast(
      'merged, first to last stored',
      median((round) => round.mergedPerSecond),
      'events/s',
      3_000,
    ),
    atMost(
      'first 10,000 on the other board, from the start of its service',
      median((round) => round.tenThousandMs) / 1_000,
      's',
      10,
    ),
    { what: 'all of them', value: median((round) => round.allMs) / 1_000, unit: 's' },
    ...steps.map((step) => ({
      what: `of the merging time, ${step.replace('_', ' ')}`,
      value: median((round) => (round.steps[step] ?? 0) * 100),
      unit: '%',
    })),
    atMost('holes or repeats at a follower', Math.max(...rounds.map(({ gaps }) => gaps)), 'events', 0),
  ];
}

const told = ({ events, mergedPerSecond, allMs }: CatchUp) =>
  `${events} events merged at ${mergedPerSecond.toFixed(0)}/s, all on the board after ${(allMs / 1_000).toFixed(1)} s`;

function notesOf(rounds: readonly CatchUp[], others: number): string[] {
  return [
    'Both sites, poster and follower share the machine and one clock. Steps of different batches overlap.',
    `CPU an event while catching up: ${rounds.at(-1)!.cpu}.`,
    `Other programs had ${(others * 100).toFixed(0)} % of the machine.`,
  ];
}
