import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LineProcess } from '../rig/line-process.ts';

/** How connections to a server are opened. */
export interface Target {
  port: number;
  /** Whole HTTP requests, used in turn. */
  requests: readonly string[];
  /** Sent behind the head of the answer. */
  greeting?: Buffer;
  /** What is seen on a connection that is ready; empty: the head of the answer is enough. */
  ready: string;
  isWebSocket: boolean;
}

/** What the load generator has counted since `go`; times since it started to connect. */
export interface LoadReport {
  open: number;
  ready: number;
  /** Never opened, and opened but ended by the server. */
  refused: number;
  lost: number;
  deliveries: number;
  gaps: number;
  duplicates: number;
  bytes: number;
  /** Events on the connection that has fewest, and most; stalled ones aside. */
  least: number;
  most: number;
  p50Ms: number;
  p90Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
  cpuMs: number;
  lastHeadMs: number;
  lastReadyMs: number;
}

export interface LoadOptions {
  program: string;
  target: Target;
  connections: number;
  core: string | undefined;
  /** Handshakes under way at once. Default 256. */
  inflight?: number;
  /** Handshakes a second; default as fast as they are answered. */
  rate?: number;
  /** Number of the first event that every connection must see. */
  first?: number;
  /** Percent of the connections that stop reading at `go`. */
  stalledPercent?: number;
  /** While it counts. Default 10: it spins, and must let feeder and bus through. */
  nice?: number;
}

const answerMs = 10_000;
const connectMs = 120_000;

/** One process that holds many connections and checks what comes on them. */
export class LoadGenerator {
  readonly #process: LineProcess;
  readonly #folder: string;
  readonly connections: number;

  private constructor(process: LineProcess, folder: string, connections: number) {
    this.#process = process;
    this.#folder = folder;
    this.connections = connections;
  }

  /** @throws when not every connection gets ready. */
  static async open(options: LoadOptions): Promise<{ load: LoadGenerator; opened: LoadReport }> {
    const folder = await mkdtemp(join(tmpdir(), 'boardwire-load-'));
    const args = await loadArguments(options, folder);
    const { program: command, core } = options;
    const child = new LineProcess({ command, args, core });
    const load = new LoadGenerator(child, folder, options.connections);
    try {
      const opened = await load.#report('ready', connectMs);
      if (opened.ready === options.connections && opened.open === options.connections) return { load, opened };
      throw new Error(
        `${opened.ready} of ${options.connections} connections got ready, ${opened.refused} were refused, ` +
          `${opened.lost} lost. ${child.complaints}`,
      );
    } catch (error) {
      await load.close();
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Counts from zero; every connection must see `first` next. */
  go(first: number): void {
    this.#process.send(`go ${first}`);
  }

  look(): Promise<LoadReport> {
    this.#process.send('look');
    return this.#report('look', answerMs);
  }

  /** Ends the spinning. */
  halt(): Promise<LoadReport> {
    this.#process.send('stop');
    return this.#report('stop', answerMs);
  }

  /** Milliseconds of CPU that a process has used; far more exact than what /proc tells. */
  async cpuMs(pid: number): Promise<number> {
    this.#process.send(`cpu ${pid}`);
    const { ms } = JSON.parse(await this.#process.answer('{"what":"cpu"', answerMs)) as { ms: number };
    return ms;
  }

  /** Waits until so many events have come, or none more for `stillMs`. */
  async drained(deliveries: number, stillMs = 5_000): Promise<void> {
    let seen = -1;
    let movedAt = performance.now();
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- a look at a time
      const report = await this.look();
      if (report.deliveries >= deliveries) return;
      if (report.deliveries !== seen) movedAt = performance.now();
      seen = report.deliveries;
      if (performance.now() - movedAt > stillMs) return;
      // oxlint-disable-next-line no-await-in-loop
      await sleep(10);
    }
  }

  async close(): Promise<void> {
    await this.#process.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #report(what: string, timeoutMs: number): Promise<LoadReport> {
    return JSON.parse(await this.#process.answer(`{"what":"${what}"`, timeoutMs)) as LoadReport;
  }
}

async function loadArguments(options: LoadOptions, folder: string): Promise<string[]> {
  const { target, connections, inflight, rate, first, stalledPercent, nice = 10 } = options;
  const requests = join(folder, 'requests');
  await writeFile(requests, target.requests.map((request) => `${request}\0`).join(''));
  const args = ['--port', String(target.port), '--connections', String(connections), '--requests', requests];
  if (target.ready !== '') args.push('--ready', target.ready);
  if (target.isWebSocket) args.push('--websocket');
  if (target.greeting !== undefined) {
    const greeting = join(folder, 'greeting');
    await writeFile(greeting, target.greeting);
    args.push('--greeting', greeting);
  }
  for (const [name, value] of Object.entries({ inflight, rate, first, stalled: stalledPercent, nice })) {
    if (value !== undefined) args.push(`--${name}`, String(value));
  }
  return args;
}
