import { ServerProcess } from '@boardwire/embedded';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { payloadText } from '../load/event-payload.ts';
import type { Target } from '../load/load-generator.ts';
import { pace } from '../load/pace.ts';
import { pinned } from '../rig/cores.ts';
import type { Contender, FeedPlan } from './contender.ts';

export interface HttpFedOptions {
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  folder: string;
  core: string | undefined;
  target: Target;
  /** The request that publishes an event. */
  publish: (payload: string) => { path: string; headers: Record<string, string>; body: string };
}

const startMs = 10_000;

/** A hub that takes events over HTTP, one after the other, as its publishers would send them. */
export class HttpFedContender implements Contender {
  readonly #options: HttpFedOptions;
  readonly #server: ServerProcess;
  readonly #pool: Pool;
  #next = 1;

  private constructor(options: HttpFedOptions, server: ServerProcess) {
    this.#options = options;
    this.#server = server;
    this.#pool = new Pool(`http://127.0.0.1:${options.target.port}`, { connections: 1 });
  }

  /** @throws when it does not take a first event, which nobody gets. */
  static async start(options: HttpFedOptions): Promise<HttpFedContender> {
    const { core, folder, env, name } = options;
    const [command, args] = pinned(core, options.command, options.args);
    const logFile = `${folder}/logs/${name.toLowerCase()}.log`;
    const process = { command, args, cwd: folder, env, logFile, stopSignal: 'SIGTERM', stopTimeoutMs: 3_000 } as const;
    const contender = new HttpFedContender(options, await ServerProcess.start(process));
    try {
      await contender.#ready();
      return contender;
    } catch (error) {
      await contender.stop();
      throw error;
    }
  }

  get name(): string {
    return this.#options.name;
  }

  get pid(): number {
    return this.#server.pid;
  }

  get target(): Target {
    return this.#options.target;
  }

  get next(): number {
    return this.#next;
  }

  feed(plan: FeedPlan): Promise<number> {
    return pace(plan, async (count) => {
      for (let index = 0; index < count; index += 1) {
        // oxlint-disable-next-line no-await-in-loop -- in order
        await this.#publish();
      }
    });
  }

  async stop(): Promise<void> {
    await this.#pool.close();
    await this.#server.stop();
  }

  async #publish(): Promise<void> {
    const request = this.#options.publish(payloadText(this.#next));
    const { statusCode, body } = await this.#pool.request({ method: 'POST', ...request });
    const text = await body.text();
    if (statusCode >= 300) throw new Error(`${this.name} answered ${statusCode}: ${text.slice(0, 200)}`);
    this.#next += 1;
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + startMs;
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- until it answers
        await this.#publish();
        return;
      } catch (error) {
        if (!this.#server.isRunning || performance.now() > deadline) throw error;
        // oxlint-disable-next-line no-await-in-loop
        await sleep(50);
      }
    }
  }
}
