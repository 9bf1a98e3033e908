import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServerProcess } from '@boardwire/embedded';
import type { HostedService, ServiceSpec } from './hosted-service.ts';
import { nodeFlagsOf } from './node-flags.ts';
import { serviceSources, type ServiceKind } from './service-name.ts';
import { waitUntilReady } from './wait-until-ready.ts';

const backoffMinMs = 100;
const backoffMaxMs = 5_000;
/** A process that lived this long was healthy: the next restart is immediate again. */
const healthyAfterMs = 10_000;

export interface ProcessServiceOptions {
  /** Asked at each start: the checkout whose build is run. */
  checkout: (name: string) => string;
  logFile: string;
  /** On the command line, so that a later start recognises what a killed launcher left behind. */
  mark: string;
  /** Told when the process ends unasked and when it is back. */
  onEvent: (text: string) => void;
  /** Told whenever the pid changes. */
  onPid: () => void;
}

/** A service in a process of its own; one that dies unasked is started again, with backoff. */
export class ProcessService implements HostedService {
  private process: ServerProcess | undefined;
  private isWanted = false;
  private failures = 0;

  constructor(
    private readonly spec: ServiceSpec,
    private readonly options: ProcessServiceOptions,
  ) {}

  get name(): string {
    return this.spec.name;
  }

  get kind(): ServiceKind {
    return this.spec.kind;
  }

  get internalUrl(): string {
    return this.spec.internalUrl;
  }

  get publicUrl(): string {
    return this.spec.publicUrl ?? '';
  }

  get pid(): number | undefined {
    return this.process?.isRunning ? this.process.pid : undefined;
  }

  async start(): Promise<void> {
    this.isWanted = true;
    this.failures = 0;
    if (this.process?.isRunning) return;
    const server = await this.spawn();
    await waitUntilReady(this.name, this.internalUrl, () => !server.isRunning).catch((error: Error) => {
      this.isWanted = false;
      throw new Error(`${error.message}; its log is ${this.options.logFile}`, { cause: error });
    });
  }

  async stop(): Promise<void> {
    this.isWanted = false;
    await this.process?.stop();
  }

  async kill(): Promise<void> {
    this.isWanted = false;
    await this.process?.kill();
  }

  private async spawn(): Promise<ServerProcess> {
    const startedAt = performance.now();
    const checkout = this.options.checkout(this.name);
    const server = await ServerProcess.start({
      command: process.execPath,
      args: [...nodeFlagsOf(this.kind), join(checkout, serviceSources[this.kind].entry), this.options.mark],
      cwd: checkout,
      env: { ...this.spec.env },
      logFile: this.options.logFile,
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 2_500,
    });
    this.process = server;
    this.options.onPid();
    void server.exited.then(({ code, signal }) => {
      this.options.onPid();
      if (!this.isWanted || this.process !== server) return;
      if (performance.now() - startedAt > healthyAfterMs) this.failures = 0;
      this.options.onEvent(`${this.name} ended unasked (${signal ?? `code ${code}`}), starting it again`);
      void this.revive();
    });
    return server;
  }

  /** Only the first attempt is told as success; the next end of the process tells itself. */
  private async revive(): Promise<void> {
    const backoffMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** this.failures);
    this.failures += 1;
    await sleep(backoffMs, undefined, { ref: false });
    if (!this.isWanted) return;
    try {
      const server = await this.spawn();
      await waitUntilReady(this.name, this.internalUrl, () => !server.isRunning);
      this.options.onEvent(`${this.name} is back (pid ${server.pid})`);
    } catch (error) {
      if (this.isWanted && !this.process?.isRunning) return;
      this.options.onEvent(`${this.name}: ${(error as Error).message}`);
    }
  }
}
