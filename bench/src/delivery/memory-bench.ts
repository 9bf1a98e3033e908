import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender } from '../contenders/contender.ts';
import { GatewayContender } from '../contenders/gateway-contender.ts';
import { startNest, startSocketIo } from '../contenders/peers.ts';
import { LoadGenerator } from '../load/load-generator.ts';
import type { OptionValues } from '../options.ts';
import { atMost, benchResult, type BenchResult, type BenchRow } from '../result.ts';
import { median, spread } from '../report/statistics.ts';
import { accessTokens, usersFor } from '../rig/access-token.ts';
import { GatewayRig } from '../rig/gateway-rig.ts';
import { assertMayOpen, residentKb } from '../rig/process-usage.ts';
import { onStage, stageNotes, type Say, type Stage } from '../rig/stage.ts';
import { measureRound } from './measure-round.ts';

export const memoryHelp = `Resident memory of the server process for each idle connection, all in: a fresh process each time, warmed up with a
few connections that are gone again.

  npm run bench -- memory [--connections 9900] [--rounds 2] [--hold 10]

  --hold   seconds that the connections stay, with heartbeats; 3600 for the hour that is asked
`;

const warmUpConnections = 300;
const connectsPerSecond = 3_000;
/** A heap grows between two collections: of several looks the lowest says what is held. */
const looks = 10;

export const benchMemory = {
  help: memoryHelp,
  defaults: { connections: 9_900, rounds: 2, hold: 10 },
  quick: { connections: 4_000, rounds: 1, hold: 5 },
  run: (options: OptionValues, say: Say): Promise<BenchResult> =>
    onStage(say, async (stage) => {
      const connections = Number(options['connections']);
      assertMayOpen(connections);
      const rig = stage.own(
        await GatewayRig.start({ folder: stage.folder, cores: stage.cores, boards: ['sse', 'ws'] }),
      );
      const tokens = await accessTokens(rig.chat, usersFor(connections));
      const gateway = (transport: 'sse' | 'ws') => async () => {
        await rig.startGateway();
        // Numbers go on where the board stands.
        return new GatewayContender({
          rig,
          board: transport,
          transport,
          tokens,
          next: rig.chat.board(transport).head + 1,
        });
      };
      const core = stage.cores?.server;
      const measure = (start: () => Promise<Contender>) => measureMemory(stage, { start, options });
      const once = (start: () => Promise<Contender>) =>
        measureMemory(stage, {
          start,
          options: { ...options, rounds: 1, hold: Math.min(peerHoldSeconds, Number(options['hold'])) },
        });
      const rows = [
        ...heldRows('Boardwire SSE', await measure(gateway('sse')), 12),
        ...heldRows('Boardwire WebSocket', await measure(gateway('ws')), 10),
        ...heldRows('Socket.IO', await once(() => startSocketIo({ core }))),
        ...heldRows('Nest @Sse()', await once(() => startNest({ core }))),
      ];
      return benchResult('memory', options, rows, [
        ...stageNotes(stage),
        'VmRSS after minus before, divided by the connections; what the kernel holds for sockets is not in it.',
        'Growth is the lowest of the last looks minus the lowest of the first ones while nothing happens but heartbeats.',
      ]);
    }),
};

/** Only of the gateway is it asked that it stays flat. */
const peerHoldSeconds = 10;

interface Held {
  kbPerConnection: number;
  grownKb: number;
}

interface MeasureOptions {
  start: () => Promise<Contender>;
  options: OptionValues;
}

async function measureMemory(stage: Stage, { start, options }: MeasureOptions): Promise<Held[]> {
  const held: Held[] = [];
  for (let round = 0; round < Number(options['rounds']); round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- a fresh process each time
    const contender = stage.own(await start());
    // oxlint-disable-next-line no-await-in-loop
    held.push(await hold(stage, contender, options));
    const { kbPerConnection, grownKb } = held.at(-1)!;
    stage.say(`  … ${contender.name}: ${kbPerConnection.toFixed(1)} KB a connection, ${grownKb} KB grown`);
    // oxlint-disable-next-line no-await-in-loop
    await contender.stop();
  }
  return held;
}

async function hold(stage: Stage, contender: Contender, options: OptionValues): Promise<Held> {
  await visit(stage, contender, warmUpConnections);
  const before = await lowest(contender.pid, 1);
  const connections = Number(options['connections']);
  const load = await open(stage, contender, connections);
  // Each connection has had events, as an idle one of a site has.
  await measureRound({ contender, load }, { rate: 5, burst: 1, seconds: 1, isBatched: false });
  const holdSeconds = Number(options['hold']);
  const first = await lowest(contender.pid, Math.min(5, holdSeconds / 2));
  await sleep(Math.max(0, holdSeconds - 10) * 1_000);
  const last = await lowest(contender.pid, Math.min(5, holdSeconds / 2));
  const { open: still } = await load.look();
  await load.close();
  if (still !== connections) throw new Error(`${contender.name}: ${connections - still} connections were lost`);
  return { kbPerConnection: (last - before) / connections, grownKb: last - first };
}

async function visit(stage: Stage, contender: Contender, connections: number): Promise<void> {
  const load = await open(stage, contender, connections);
  await measureRound({ contender, load }, { rate: 100, burst: 1, seconds: 0.5, isBatched: false });
  await load.close();
  await sleep(1_000);
}

async function open(stage: Stage, { target }: Contender, connections: number): Promise<LoadGenerator> {
  const { programs, cores } = stage;
  const { load } = await LoadGenerator.open({
    program: programs.load,
    target,
    connections,
    core: cores?.load,
    rate: connectsPerSecond,
  });
  return stage.own(load);
}

async function lowest(pid: number, seconds: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < looks; look += 1) {
    least = Math.min(least, residentKb(pid));
    // oxlint-disable-next-line no-await-in-loop -- spread over the time
    await sleep((seconds * 1_000) / looks);
  }
  return least;
}

function heldRows(name: string, held: readonly Held[], max?: number): BenchRow[] {
  const each = held.map(({ kbPerConnection }) => kbPerConnection);
  const what = `${name}, memory a connection`;
  const row = max === undefined ? { what, value: median(each), unit: 'KB' } : atMost(what, median(each), 'KB', max);
  const grown = median(held.map(({ grownKb }) => grownKb));
  return [
    { ...row, note: spread(each) },
    { what: `${name}, growth while held`, value: grown / 1_024, unit: 'MB' },
  ];
}
