import type { Boot, RunningService } from '@boardwire/service-kit';
import type { HostedService, ServiceSpec } from './hosted-service.ts';
import { serviceSources, type ServiceKind } from './service-name.ts';
import { waitUntilReady } from './wait-until-ready.ts';

/** A service that runs in this process. */
export class InProcessService implements HostedService {
  private running: RunningService | undefined;
  private booting: Promise<RunningService> | undefined;
  private isWanted = false;

  constructor(private readonly spec: ServiceSpec) {}

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
    return this.running ? process.pid : undefined;
  }

  async start(): Promise<void> {
    if (this.running) return;
    this.isWanted = true;
    const boot = await loadBoot(this.spec.kind);
    this.booting = boot(this.spec.env);
    const running = await this.booting.finally(() => (this.booting = undefined));
    if (!this.isWanted) throw new Error(`${this.name} was stopped while it started`);
    this.running = running;
    await waitUntilReady(this.name, this.internalUrl, () => this.running === undefined);
  }

  async stop(): Promise<void> {
    this.isWanted = false;
    // When another service of the site has failed, this one may still be on its way up.
    const running = this.running ?? (await this.booting?.catch(() => undefined));
    this.running = undefined;
    await running?.stop();
  }

  kill(): Promise<void> {
    return Promise.reject(new Error(`${this.name} runs in this process: start the site with processes of their own`));
  }
}

/** Loaded when it is needed: with processes of their own, the launcher never loads a service's code. */
export async function loadBoot(kind: ServiceKind): Promise<Boot> {
  const module = (await import(serviceSources[kind].packageName)) as { boot: Boot };
  return module.boot;
}
