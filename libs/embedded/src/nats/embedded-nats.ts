import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlledServer } from '../controlled-server.ts';
import { freePort, isPortFree } from '../free-port.ts';
import { tailOf } from '../log-tail.ts';
import { stopOrphan } from '../process-table.ts';
import { ServerProcess } from '../server-process.ts';
import type { NatsBinary } from './nats-binary.ts';
import { askInfo } from './nats-info.ts';

export interface NatsServer extends ControlledServer {
  /** `nats://127.0.0.1:<port>`, without the token. */
  readonly url: string;
  readonly token: string | undefined;
  readonly version: string;
}

export interface EmbeddedNatsOptions {
  binary: NatsBinary;
  /** Holds the configuration, the JetStream store and the pid file. */
  home: string;
  logFile: string;
  token: string;
  /** Taken when it is free; otherwise another one. */
  preferredPort?: number;
}

const pidFile = 'nats-server.pid';
const startTimeoutMs = 30_000;
/** Batches of events and range answers stay well below. */
const payloadBytesMax = 4 * 1024 * 1024;

/** A nats-server process of our own, with JetStream on disk, on the loopback address. */
export class EmbeddedNats implements NatsServer {
  readonly kind = 'embedded';
  private process: ServerProcess | undefined;
  private chosenPort = 0;

  constructor(private readonly options: EmbeddedNatsOptions) {}

  get port(): number {
    return this.chosenPort;
  }

  get pid(): number | undefined {
    return this.process?.isRunning ? this.process.pid : undefined;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.chosenPort}`;
  }

  get token(): string {
    return this.options.token;
  }

  get version(): string {
    return this.options.binary.version;
  }

  get description(): string {
    return `NATS ${this.version} (${this.options.binary.origin})`;
  }

  /** Starts on the port it had before, if any, with the JetStream store it had. */
  async start(): Promise<void> {
    if (this.process?.isRunning) return;
    const isFirst = this.chosenPort === 0;
    if (isFirst) {
      await this.stopPreviousServer();
      this.chosenPort = await choosePort(this.options.preferredPort ?? 0);
    }
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      const server = await this.spawn();
      this.process = server;
      if (await this.answers(server, deadline)) return;
      const log = await tailOf(this.options.logFile);
      await server.stop();
      if (performance.now() > deadline || !/address already in use/i.test(log)) {
        throw new Error(`nats-server did not start. The end of ${this.options.logFile}:\n${log}`);
      }
      if (isFirst) this.chosenPort = await freePort();
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    await this.process?.stop();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async kill(): Promise<void> {
    await this.process?.kill();
  }

  async pause(): Promise<void> {
    await this.process?.pause();
  }

  async resume(): Promise<void> {
    await this.process?.resume();
  }

  private async spawn(): Promise<ServerProcess> {
    const config = join(this.options.home, 'nats-server.conf');
    await mkdir(this.options.home, { recursive: true, mode: 0o700 });
    await writeFile(config, `${JSON.stringify(this.configuration(), null, 2)}\n`, { mode: 0o600 });
    return ServerProcess.start({
      command: this.options.binary.path,
      args: ['--config', config],
      cwd: '/',
      logFile: this.options.logFile,
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 2_000,
    });
  }

  /** NATS reads JSON as its own configuration language, so that any path is quoted right. */
  private configuration(): object {
    return {
      server_name: 'boardwire',
      listen: `127.0.0.1:${this.chosenPort}`,
      authorization: { token: this.options.token },
      pid_file: join(this.options.home, pidFile),
      max_payload: payloadBytesMax,
      max_pending: 64 * 1024 * 1024,
      write_deadline: '10s',
      ping_interval: '10s',
      jetstream: {
        store_dir: join(this.options.home, 'jetstream'),
        max_memory_store: 256 * 1024 * 1024,
        max_file_store: 8 * 1024 * 1024 * 1024,
      },
    };
  }

  /** A launcher that was killed together with its guard leaves the server running: two may not share one store. */
  private async stopPreviousServer(): Promise<void> {
    await stopNatsIn(this.options.home);
  }

  private async answers(server: ServerProcess, deadline: number): Promise<boolean> {
    while (server.isRunning && performance.now() < deadline) {
      const info = await askInfo('127.0.0.1', this.chosenPort).catch(() => undefined);
      if (info?.jetstream === true && server.isRunning) return true;
      await sleep(10);
    }
    return false;
  }
}

async function choosePort(preferred: number): Promise<number> {
  return preferred > 0 && (await isPortFree(preferred)) ? preferred : freePort();
}

/** Stops a server that was left behind in this folder. */
export async function stopNatsIn(home: string): Promise<boolean> {
  const pid = Number(await readFile(join(home, pidFile), 'utf8').catch(() => ''));
  return stopOrphan(pid, home, 'SIGTERM');
}
