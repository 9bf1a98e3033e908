import type { OptionValues } from '../options.ts';
import { atLeast, atMost, benchResult, type BenchResult, type BenchRow } from '../result.ts';
import { median, ratios, spread } from '../report/statistics.ts';
import { onStage, stageNotes, type Say } from '../rig/stage.ts';
import { costRows, deliveriesPerSecond } from './fanout-bench.ts';
import { interleave, type Rounds } from './interleave.ts';
import { connectAll, names, startLineup } from './lineup.ts';

export const burstsHelp = `CPU of the server for each delivery when ten events come at once, 50,000 deliveries a second. The C server writes a
burst with one call.

  npm run bench -- bursts [--connections 1000] [--rounds 5] [--seconds 3]
`;

const burst = 10;

export const benchBursts = {
  help: burstsHelp,
  defaults: { connections: 1_000, rounds: 5, seconds: 3 },
  quick: { rounds: 3, seconds: 2 },
  run: (options: OptionValues, say: Say): Promise<BenchResult> =>
    onStage(say, async (stage) => {
      const connections = Number(options['connections']);
      const entries = await connectAll(stage, await startLineup(stage, connections), connections);
      const rate = Math.max(burst, Math.round(deliveriesPerSecond / connections));
      const plan = { rate, burst, seconds: Number(options['seconds']), isBatched: true };
      const measured = await interleave(entries, { rounds: Number(options['rounds']), plan, say });
      return benchResult('bursts', options, burstRows(measured, connections), stageNotes(stage));
    }),
};

function burstRows(measured: Rounds, connections: number): BenchRow[] {
  const at = `${connections.toLocaleString('en-US')} connections`;
  const of = (name: string) => measured.get(name)!.map(({ microsPerDelivery }) => microsPerDelivery);
  const rows = costRows(measured, at);
  for (const name of [names.sse, names.ws]) {
    const overFloor = ratios(of(name), of(names.floor));
    const underSocketIo = ratios(of(names.socketIo), of(name));
    const underNest = ratios(of(names.nest), of(name));
    rows.push(
      atMost(`${name} / ${names.floor}, ${at}`, median(overFloor), '×', 2, spread(overFloor, 2)),
      atLeast(`${names.socketIo} / ${name}, ${at}`, median(underSocketIo), '×', 6, spread(underSocketIo, 2)),
      atLeast(`${names.nest} / ${name}, ${at}`, median(underNest), '×', 15, spread(underNest, 2)),
    );
  }
  return rows;
}
