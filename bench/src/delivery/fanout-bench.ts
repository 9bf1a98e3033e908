import { startGoPeers } from '../contenders/go-peers.ts';
import type { OptionValues } from '../options.ts';
import { atMost, benchResult, type BenchResult, type BenchRow } from '../result.ts';
import { median, ratios, spread } from '../report/statistics.ts';
import { onStage, stageNotes, type Say } from '../rig/stage.ts';
import { interleave, type Rounds } from './interleave.ts';
import { connectAll, names, startLineup } from './lineup.ts';
import { listOfNumbers } from './options.ts';

export const fanoutHelp = `CPU of the server for each delivery, 50,000 deliveries a second, one event at a time: the whole gateway over SSE
and WebSocket beside a C epoll server, Socket.IO 4 and Nest's @Sse() on Fastify.

  npm run bench -- fanout [--connections 1000,9900] [--rounds 5] [--seconds 3] [--peers all]

  --connections   on each server, one after the other
  --rounds        of each server, interleaved
  --seconds       of each round
  --peers         all: Centrifugo and Mercure as well, where they are installed or Go can build them; npm: without them
`;

/** Deliveries a second that are asked of everybody. */
export const deliveriesPerSecond = 50_000;

export const benchFanout = {
  help: fanoutHelp,
  defaults: { connections: '1000,9900', rounds: 5, seconds: 3, peers: 'all' },
  quick: { connections: '1000', rounds: 3, seconds: 2, peers: 'npm' },
  async run(options: OptionValues, say: Say): Promise<BenchResult> {
    const sizes = listOfNumbers(options['connections']);
    const rows: BenchRow[] = [];
    let notes: string[] = [];
    for (const connections of sizes) {
      // oxlint-disable-next-line no-await-in-loop -- a size at a time
      await onStage(say, async (stage) => {
        const peerNotes: string[] = [];
        const lineup = await startLineup(stage, connections);
        if (options['peers'] !== 'npm') lineup.push(...(await startGoPeers(stage, peerNotes)));
        const entries = await connectAll(stage, lineup, connections);
        const plan = { ...unbatched(connections), seconds: Number(options['seconds']) };
        rows.push(
          ...fanoutRows(await interleave(entries, { rounds: Number(options['rounds']), plan, say }), connections),
        );
        notes = [...stageNotes(stage), ...peerNotes];
      });
    }
    return benchResult('fanout', options, rows, notes);
  },
};

/** One event at a time, as often as makes the deliveries. */
export function unbatched(connections: number) {
  return { rate: Math.max(1, Math.round(deliveriesPerSecond / connections)), burst: 1, isBatched: false };
}

function fanoutRows(measured: Rounds, connections: number): BenchRow[] {
  const at = `${connections.toLocaleString('en-US')} connections`;
  const rows: BenchRow[] = [...costRows(measured, at), ...lateRows(measured, connections)];
  for (const name of [names.sse, names.ws]) {
    rows.push(
      ratioRow(measured, [name, names.floor], { at, max: 1.8 }),
      ratioRow(measured, [name, names.socketIo], { at, max: 1.1 }),
      ratioRow(measured, [name, names.nest], { at, max: 0.45 }),
    );
  }
  return rows;
}

/** From the making of an event to its arrival: the last clients of a pass are most of it. */
function lateRows(measured: Rounds, connections: number): BenchRow[] {
  const at = `${connections.toLocaleString('en-US')} connections`;
  const late = (name: string) => measured.get(name)!.map(({ p99Ms }) => p99Ms);
  const plain = [names.floor, names.sse, names.ws, names.socketIo].map((name) => ({
    what: `${name}, p99, ${at}`,
    value: median(late(name)),
    unit: 'ms',
    note: spread(late(name)),
  }));
  // Asked at 1,000 connections.
  if (connections > 1_000) return plain;
  const asked = [names.sse, names.ws].map((name) => {
    const all = ratios(late(name), late(names.floor));
    return atMost(`${name} / ${names.floor}, p99, ${at}`, median(all), '×', 1.5, spread(all, 2));
  });
  return [...plain, ...asked];
}

/** What a delivery costs with each contender. */
export function costRows(measured: Rounds, at: string): BenchRow[] {
  return [...measured].map(([name, rounds]) => {
    const micros = rounds.map(({ microsPerDelivery }) => microsPerDelivery);
    const perSecond = median(rounds.map((round) => round.deliveriesPerSecond));
    const note = `${spread(micros)}; ${Math.round(perSecond).toLocaleString('en-US')} deliveries/s`;
    return { what: `${name}, ${at}`, value: median(micros), unit: 'µs', note };
  });
}

/** The median of the rounds' ratios. */
export function ratioRow(
  measured: Rounds,
  [left, right]: readonly [string, string],
  { at, max }: { at: string; max: number },
): BenchRow {
  const of = (name: string) => (measured.get(name) ?? []).map(({ microsPerDelivery }) => microsPerDelivery);
  const all = ratios(of(left), of(right));
  return atMost(`${left} / ${right}, ${at}`, median(all), '×', max, spread(all, 2));
}
