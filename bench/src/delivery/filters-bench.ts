import { GatewayContender } from '../contenders/gateway-contender.ts';
import { payloadText } from '../load/event-payload.ts';
import { LoadGenerator, type Target } from '../load/load-generator.ts';
import { pace } from '../load/pace.ts';
import type { OptionValues } from '../options.ts';
import { atMost, benchResult, type BenchResult, type BenchRow } from '../result.ts';
import { median, ratios, spread } from '../report/statistics.ts';
import { accessTokens, usersFor } from '../rig/access-token.ts';
import { GatewayRig } from '../rig/gateway-rig.ts';
import { onStage, stageNotes, type Say, type Stage } from '../rig/stage.ts';

export const filtersHelp = `What an event costs the gateway with one filter and with a thousand different ones, each of a connection of its own.
Every event is delivered once in all cases, and comes alone.

  npm run bench -- filters [--filters 1000] [--rounds 5] [--rate 1000] [--seconds 3]

  --rate   events a second
`;

/** Boards: who listens, and where the events go. */
const cases = {
  one: 'one filter',
  idle: 'others’ filters beside it',
  all: 'spread over all filters',
} as const;
type Case = keyof typeof cases;

interface Scene {
  name: Case;
  load: LoadGenerator;
  /** Subjects that events go to, in turn. */
  subjects: number;
  /** Events so far on each of them. */
  next: number;
}

export const benchFilters = {
  help: filtersHelp,
  defaults: { filters: 1_000, rounds: 5, rate: 1_000, seconds: 3 },
  quick: { rounds: 3, seconds: 2 },
  run: (options: OptionValues, say: Say): Promise<BenchResult> =>
    onStage(say, async (stage) => {
      const filters = Number(options['filters']);
      const { folder, cores } = stage;
      const rig = stage.own(await GatewayRig.start({ folder, cores, boards: Object.keys(cases) }));
      const tokens = await accessTokens(rig.chat, usersFor(2 * filters) + 1);
      const scenes = [
        await openScene(stage, { rig, tokens, name: 'one', filters: 1, subjects: 1 }),
        await openScene(stage, { rig, tokens, name: 'idle', filters, subjects: 1 }),
        await openScene(stage, { rig, tokens, name: 'all', filters, subjects: filters }),
      ];
      const micros: Record<Case, number[]> = { one: [], idle: [], all: [] };
      const rounds = Number(options['rounds']);
      for (let round = 0; round <= rounds; round += 1) {
        for (const scene of scenes) {
          // oxlint-disable-next-line no-await-in-loop -- they take turns; the first round warms up
          const each = await measure(rig, scene, options);
          if (round > 0) micros[scene.name].push(each);
        }
        const line = scenes.map(({ name }) => `${cases[name]} ${(micros[name].at(-1) ?? 0).toFixed(1)}`);
        if (round > 0) say(`  … round ${round} of ${rounds}, µs an event: ${line.join(', ')}`);
      }
      return benchResult('filters', options, filterRows(micros, filters), [
        ...stageNotes(stage),
        'An event’s cost is the whole gateway’s: intake, matching, encoding, one write.',
      ]);
    }),
};

interface SceneOptions {
  rig: GatewayRig;
  tokens: readonly string[];
  name: Case;
  filters: number;
  subjects: number;
}

async function openScene(stage: Stage, { rig, tokens, name, filters, subjects }: SceneOptions): Promise<Scene> {
  const { programs, cores } = stage;
  const contender = new GatewayContender({ rig, board: name, transport: 'sse', tokens });
  const targets = Array.from({ length: filters }, (_, index) => contender.targetOf({ filter: `bench.s${index}` }));
  const requests = targets.map(({ requests: some }, index) => some[index % some.length]!);
  const target: Target = { ...targets[0]!, requests };
  const opened = await LoadGenerator.open({ program: programs.load, target, connections: filters, core: cores?.load });
  return { name, load: stage.own(opened.load), subjects, next: 1 };
}

/** @returns microseconds of the gateway's CPU for each event. */
async function measure(rig: GatewayRig, scene: Scene, options: OptionValues): Promise<number> {
  const { load, name, subjects } = scene;
  const rate = Number(options['rate']);
  // As many on each subject, so that all connections expect the same number next.
  const events = Math.max(1, Math.round((rate * Number(options['seconds'])) / subjects)) * subjects;
  load.go(scene.next);
  const before = await load.cpuMs(rig.pid);
  let sent = 0;
  await pace({ rate, burst: 1, seconds: events / rate }, () => {
    const number = scene.next + Math.floor(sent / subjects);
    void rig.chat.publish(name, `bench.s${sent % subjects}`, payloadText(number));
    sent += 1;
  });
  scene.next += events / subjects;
  await load.drained(events);
  const used = (await load.cpuMs(rig.pid)) - before;
  const { deliveries, gaps, duplicates, lost } = await load.halt();
  if (deliveries !== events || gaps + duplicates + lost > 0) {
    throw new Error(
      `${cases[name]}: ${deliveries} of ${events} events, ${gaps} gaps, ${duplicates} repeats, ${lost} lost`,
    );
  }
  return (used * 1_000) / events;
}

function filterRows(micros: Record<Case, number[]>, filters: number): BenchRow[] {
  const many = filters.toLocaleString('en-US');
  const rows = (Object.keys(cases) as Case[]).map((name) => ({
    what: `${name === 'one' ? '1 filter' : `${many} filters, ${cases[name]}`}, CPU an event`,
    value: median(micros[name]),
    unit: 'µs',
    note: spread(micros[name]),
  }));
  const asked = (['idle', 'all'] as const).map((name) => {
    const all = ratios(micros[name], micros.one);
    return atMost(`${many} filters, ${cases[name]} / 1 filter`, median(all), '×', 1.5, spread(all, 2));
  });
  return [...rows, ...asked];
}
