import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender } from '../contenders/contender.ts';
import { LoadGenerator } from '../load/load-generator.ts';
import type { OptionValues } from '../options.ts';
import { atLeast, atMost, benchResult, type BenchResult, type BenchRow } from '../result.ts';
import { median, ratios, spread } from '../report/statistics.ts';
import { cpuMs } from '../rig/process-usage.ts';
import { onStage, stageNotes, type Say, type Stage } from '../rig/stage.ts';
import { names, startLineup } from './lineup.ts';

export const connectHelp = `How fast clients get in, until each has its \`caught_up\` (with Socket.IO: has joined the namespace), and the server's
CPU for each. Tokens are known from a first round that does not count.

  npm run bench -- connect [--connections 2000] [--rounds 5] [--inflight 128]

  --inflight   handshakes under way at once
`;

interface Connected {
  perSecond: number;
  msEach: number;
}

/** What closing costs the server is not to be in the next one's round. */
const settleMs = 500;

export const benchConnect = {
  help: connectHelp,
  defaults: { connections: 2_000, rounds: 5, inflight: 128 },
  quick: { connections: 1_000, rounds: 3 },
  run: (options: OptionValues, say: Say): Promise<BenchResult> =>
    onStage(say, async (stage) => {
      const contenders = await startLineup(stage, Number(options['connections']));
      const measured = new Map<string, Connected[]>(contenders.map(({ name }) => [name, []]));
      for (const contender of contenders) await connectOnce(stage, contender, options);
      const rounds = Number(options['rounds']);
      for (let round = 1; round <= rounds; round += 1) {
        for (const contender of contenders) {
          // oxlint-disable-next-line no-await-in-loop -- they take turns
          measured.get(contender.name)!.push(await connectOnce(stage, contender, options));
        }
        const line = [...measured].map(([name, done]) => `${name} ${Math.round(done.at(-1)!.perSecond)}/s`);
        say(`  … round ${round} of ${rounds}: ${line.join(', ')}`);
      }
      return benchResult('connect', options, connectRows(measured), stageNotes(stage));
    }),
};

async function connectOnce(stage: Stage, contender: Contender, options: OptionValues): Promise<Connected> {
  const connections = Number(options['connections']);
  const before = cpuMs(contender.pid);
  const { load, opened } = await LoadGenerator.open({
    program: stage.programs.load,
    target: contender.target,
    connections,
    core: stage.cores?.load,
    inflight: Number(options['inflight']),
  });
  const used = cpuMs(contender.pid) - before;
  await load.close();
  await sleep(settleMs);
  return { perSecond: (connections * 1_000) / opened.lastReadyMs, msEach: used / connections };
}

function connectRows(measured: Map<string, Connected[]>): BenchRow[] {
  const rates = (name: string) => measured.get(name)!.map(({ perSecond }) => perSecond);
  const costs = (name: string) => measured.get(name)!.map(({ msEach }) => msEach);
  const plain = [...measured.keys()].flatMap((name) => [
    { what: `${name}, connections a second`, value: median(rates(name)), unit: '/s', note: spread(rates(name), 0) },
    { what: `${name}, CPU for each`, value: median(costs(name)), unit: 'ms', note: spread(costs(name), 3) },
  ]);
  const asked = [names.sse, names.ws].flatMap((name) => {
    const faster = ratios(rates(name), rates(names.socketIo));
    return [
      atLeast(`${name} / ${names.socketIo}, rate`, median(faster), '×', 2, spread(faster, 2)),
      atMost(`${name}, CPU for each, asked`, median(costs(name)), 'ms', 0.3),
    ];
  });
  return [...plain, ...asked];
}
