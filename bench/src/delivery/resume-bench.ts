import { setTimeout as sleep } from 'node:timers/promises';
import { formatCursor } from '@boardwire/contracts';
import { GatewayContender, type GatewayTransport } from '../contenders/gateway-contender.ts';
import { perClientTarget, startPerClient } from '../contenders/peers.ts';
import { LoadGenerator, type LoadReport, type Target } from '../load/load-generator.ts';
import type { OptionValues } from '../options.ts';
import { percentile } from '../percentile.ts';
import { atMost, benchResult, type BenchResult, type BenchRow } from '../result.ts';
import { median, ratios, spread } from '../report/statistics.ts';
import { accessTokens } from '../rig/access-token.ts';
import { GatewayRig } from '../rig/gateway-rig.ts';
import { cpuMs } from '../rig/process-usage.ts';
import { onStage, stageNotes, type Say, type Stage } from '../rig/stage.ts';
import { assertComplete } from './measure-round.ts';
import { PublishProbe } from './publish-probe.ts';

export const resumeHelp = `A storm: all clients come back at once, each with a token of its own and so many missed events. Warm: the gateway has
seen the tokens and the events. Cold: it has just started. Beside them a server that formats for each client.

  npm run bench -- resume [--connections 5000] [--missed 50] [--rounds 5]
`;

interface Storm {
  /** From the last handshake to the last \`caught_up\`. */
  catchUpMs: number;
  /** From the first handshake on. */
  allMs: number;
  cpuMs: number;
}

type Storms = Map<string, Storm[]>;

const board = { sse: 'sse', ws: 'ws', posts: 'posts' } as const;
const names = {
  sse: 'SSE',
  ws: 'WebSocket',
  cold: 'SSE, cold',
  perClient: 'formatted for each client',
  /** The same storms of clients that have missed nothing: what connecting alone costs. */
  sseNone: 'SSE, nothing missed',
  wsNone: 'WebSocket, nothing missed',
  perClientNone: 'formatted for each client, nothing missed',
} as const;
const historyEvents = 1_000;
const settleMs = 1_000;
const normalSeconds = 3;
const coldRoundsMax = 3;

export const benchResume = {
  help: resumeHelp,
  defaults: { connections: 5_000, missed: 50, rounds: 5 },
  quick: { connections: 2_000, rounds: 3 },
  run: (options: OptionValues, say: Say): Promise<BenchResult> =>
    onStage(say, async (stage) => {
      const storms = await StormSite.start(stage, options);
      const measured: Storms = new Map(Object.values(names).map((name) => [name, []]));
      // Tokens and code warm up.
      await storms.round();
      const normal: number[] = [];
      await storms.probe.during(() => sleep(normalSeconds * 1_000), normal);
      const during: number[] = [];
      const rounds = Number(options['rounds']);
      for (let round = 1; round <= rounds; round += 1) {
        // oxlint-disable-next-line no-await-in-loop -- they take turns
        const done = await storms.round();
        // oxlint-disable-next-line no-await-in-loop
        await storms.withPosts(during);
        for (const [name, storm] of done) measured.get(name)!.push(storm);
        const line = done.map(([name, { allMs, cpuMs: used }]) => `${name} ${allMs.toFixed(0)} (${used.toFixed(0)})`);
        say(`  … round ${round} of ${rounds}, ms until all are caught up (ms of CPU): ${line.join(' · ')}`);
      }
      for (let round = 1; round <= Math.min(coldRoundsMax, rounds); round += 1) {
        // oxlint-disable-next-line no-await-in-loop
        measured.get(names.cold)!.push(await storms.cold());
      }
      const rows = [...stormRows(measured), ...publishRows(normal, during)];
      return benchResult('resume', options, rows, [
        ...stageNotes(stage),
        'All handshakes are begun at once. Whoever sent the posts shared a core with the clients.',
        'The peer verifies no token and has no live stream: what replaying costs is the storm less one of clients that missed nothing.',
      ]);
    }),
};

/** A gateway with a history, and the server it is compared with. */
class StormSite {
  readonly #stage: Stage;
  readonly #rig: GatewayRig;
  readonly #tokens: readonly string[];
  readonly #connections: number;
  readonly #missed: number;
  readonly #peer: Awaited<ReturnType<typeof startPerClient>>;

  private constructor(stage: Stage, parts: StormParts) {
    this.#stage = stage;
    this.#rig = parts.rig;
    this.#tokens = parts.tokens;
    this.#peer = parts.peer;
    this.#connections = parts.connections;
    this.#missed = parts.missed;
  }

  static async start(stage: Stage, options: OptionValues): Promise<StormSite> {
    const { folder, cores } = stage;
    const connections = Number(options['connections']);
    const rig = stage.own(await GatewayRig.start({ folder, cores, boards: Object.values(board) }));
    const tokens = await accessTokens(rig.chat, connections);
    const peer = stage.own(await startPerClient({ core: cores?.server }));
    const history = { rate: 1_000, burst: 10, seconds: historyEvents / 1_000, isBatched: true };
    for (const transport of ['sse', 'ws'] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one board after the other
      await new GatewayContender({ rig, board: transport, transport, tokens }).feed(history);
    }
    await peer.feed(history);
    return new StormSite(stage, { rig, tokens, peer, connections, missed: Number(options['missed']) });
  }

  get probe(): PublishProbe {
    return new PublishProbe(`http://127.0.0.1:${this.#rig.port}`, board.posts, this.#tokens[0]!);
  }

  /** Every kind once. Nobody posts meanwhile: what posts cost would be taken for the storm's. */
  async round(): Promise<[string, Storm][]> {
    return [
      [names.sse, await this.#warm('sse', this.#missed)],
      [names.sseNone, await this.#warm('sse', 0)],
      [names.ws, await this.#warm('ws', this.#missed)],
      [names.wsNone, await this.#warm('ws', 0)],
      [names.perClient, await this.#perClient(this.#missed)],
      [names.perClientNone, await this.#perClient(0)],
    ];
  }

  /** A storm of its own. @param posts gets how long each took that was posted meanwhile */
  async withPosts(posts: number[]): Promise<void> {
    await this.#warm('sse', this.#missed, posts);
  }

  async cold(): Promise<Storm> {
    await this.#rig.startGateway();
    return this.#warm('sse', this.#missed);
  }

  /** @param posts how long each took that was posted meanwhile; nothing is posted without */
  #warm(transport: GatewayTransport, missed: number, posts?: number[]): Promise<Storm> {
    const { epoch, head } = this.#rig.chat.board(transport);
    const contender = new GatewayContender({ rig: this.#rig, board: transport, transport, tokens: this.#tokens });
    const target = contender.targetOf({ after: formatCursor(epoch, head - missed) });
    return this.#storm(target, { first: head - missed + 1, missed, pid: this.#rig.pid, posts });
  }

  #perClient(missed: number): Promise<Storm> {
    const after = this.#peer.next - 1 - missed;
    return this.#storm(perClientTarget(this.#peer.target.port, after), {
      first: after + 1,
      missed,
      pid: this.#peer.pid,
    });
  }

  async #storm(target: Target, { first, missed, pid, posts }: StormOptions): Promise<Storm> {
    const before = cpuMs(pid);
    const connections = this.#connections;
    const { programs, cores } = this.#stage;
    const open = () =>
      LoadGenerator.open({
        program: programs.load,
        target,
        connections,
        core: cores?.load,
        inflight: connections,
        first,
      });
    // What it costs that all of them leave at once is not of the storm.
    const { load, opened } = await (posts === undefined ? open() : this.probe.during(open, posts));
    const used = cpuMs(pid) - before;
    await load.close();
    await sleep(settleMs);
    assertComplete('resume', opened, { events: missed, connections });
    return stormOf(opened, used);
  }
}

interface StormOptions {
  first: number;
  missed: number;
  pid: number;
  posts?: number[] | undefined;
}

interface StormParts {
  rig: GatewayRig;
  tokens: readonly string[];
  peer: Awaited<ReturnType<typeof startPerClient>>;
  connections: number;
  missed: number;
}

function stormOf({ lastHeadMs, lastReadyMs }: LoadReport, used: number): Storm {
  return { catchUpMs: Math.max(0, lastReadyMs - lastHeadMs), allMs: lastReadyMs, cpuMs: used };
}

function stormRows(measured: Storms): BenchRow[] {
  const of = (name: string, key: keyof Storm) => measured.get(name)!.map((storm) => storm[key]);
  const caughtUp = (name: string, max: number) => {
    const took = of(name, 'catchUpMs');
    const all = of(name, 'allMs');
    return [
      atMost(`${name}, all caught up after the last handshake`, median(took), 'ms', max, spread(took, 0)),
      { what: `${name}, from the first handshake on`, value: median(all), unit: 'ms', note: spread(all, 0) },
    ];
  };
  const cpu = [...measured.keys()].map((name) => ({
    what: `${name}, CPU of the storm`,
    value: median(of(name, 'cpuMs')),
    unit: 'ms',
    note: spread(of(name, 'cpuMs'), 0),
  }));
  const replaying = (name: string, none: string) => of(name, 'cpuMs').map((ms, at) => ms - of(none, 'cpuMs')[at]!);
  const formatted = replaying(names.perClient, names.perClientNone);
  const share = (name: string, none: string) => {
    const all = ratios(replaying(name, none), formatted);
    return atMost(`${name} / ${names.perClient}, CPU of replaying`, median(all), '×', 0.5, spread(all, 2));
  };
  return [
    ...caughtUp(names.sse, 1_500),
    ...caughtUp(names.ws, 1_500),
    ...caughtUp(names.cold, 4_000),
    ...cpu,
    share(names.sse, names.sseNone),
    share(names.ws, names.wsNone),
  ];
}

function publishRows(normal: readonly number[], during: readonly number[]): BenchRow[] {
  const before = percentile(normal, 0.99);
  const then = percentile(during, 0.99);
  const note = `${during.length} posts during the storms`;
  return [
    { what: 'post → 201 without a storm, p99', value: before, unit: 'ms' },
    { what: 'post → 201 in a storm, p99', value: then, unit: 'ms', note },
    atMost('post → 201, in a storm / without, p99', then / before, '×', 2),
  ];
}
