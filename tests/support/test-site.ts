import { limits, type AuditHealth } from '@boardwire/contracts';
import { connectBus } from '@boardwire/messaging';
import { startSite, type Site } from '@boardwire/site';
import { eventually, seededRandom, startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import { join } from 'node:path';
import { call, signIn, type Person } from './person.ts';

export const testAdminPassword = 'administrator-of-tests';

export interface TestSiteOptions {
  mode?: 'one-process' | 'processes';
  gateways?: number;
  /** The public address is the site's own proxy before its gateways. */
  hasProxy?: boolean;
  env?: Record<string, string>;
  /** Of `processes`: where a service's build is, asked each time it is started. */
  checkout?: (service: string) => string;
}

/** A whole site on servers of its own, as `npm start` composes it. */
export class TestSite {
  private administrator: { person: Promise<Person>; untilMs: number } | undefined;

  constructor(
    readonly infrastructure: TestInfrastructure,
    readonly site: Site,
  ) {}

  get url(): string {
    return this.site.publicUrl;
  }

  /** Address of one gateway, past whatever stands before it. The first is number 1. */
  gatewayUrl(number: number): string {
    return this.site.services[number === 1 ? 'gateway' : `gateway-${number}`]!.publicUrl!;
  }

  internalUrl(service: string): string {
    return this.site.services[service]!.internalUrl;
  }

  admin(): Promise<Person> {
    if (this.administrator === undefined || performance.now() > this.administrator.untilMs) {
      const untilMs = performance.now() + limits.accessTokenMs / 2;
      this.administrator = { person: signIn(this.url, 'admin', testAdminPassword), untilMs };
    }
    return this.administrator.person;
  }

  /** A random source whose seed was printed; `BOARDWIRE_SEED` repeats a run. */
  random(): () => number {
    const random = seededRandom();
    return () => random.next();
  }

  /** Waits until the audit log holds every event of the board up to `seq`, and no gap. */
  async auditHas(board: string, seq: number, timeoutMs = 30_000): Promise<void> {
    const { token } = await this.admin();
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const { body } = await call<AuditHealth>(`${this.url}/v1/audit/health`, { token });
      const audited = body?.boards?.find((entry) => entry.board === board);
      if (audited !== undefined && audited.audited >= seq && audited.gaps === 0) return;
      if (Date.now() > deadline) throw new Error(`audit of ${board} stands at ${JSON.stringify(audited)}, not ${seq}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Waits until nothing of an outage is left: every service is well, and every gateway knows what chat has told. */
  isWellAgain(timeoutMs = 15_000): Promise<void> {
    return eventually(
      async () => {
        for (const [name, { internalUrl }] of Object.entries(this.site.services)) {
          // oxlint-disable-next-line no-await-in-loop -- a few services
          const { body } = await call<{ status?: string }>(`${internalUrl}/readyz`);
          if (body?.status !== 'ok') throw new Error(`${name} is not well: ${JSON.stringify(body)}`);
          if (!name.startsWith('gateway')) continue;
          // oxlint-disable-next-line no-await-in-loop
          const { text } = await call(`${internalUrl}/metrics`);
          const ageS = Number(/^boardwire_sync_age_seconds (\S+)$/m.exec(text)?.[1]);
          if (!(ageS < 2)) throw new Error(`chat has told ${name} nothing for ${ageS} s`);
        }
      },
      { timeoutMs },
    );
  }

  async deleteStream(): Promise<void> {
    const { nats } = this.infrastructure;
    const quiet = { debug() {}, info() {}, warn() {}, error() {} };
    const bus = await connectBus({
      url: nats.url,
      ...(nats.token === undefined ? {} : { token: nats.token }),
      name: 'test',
      logger: quiet,
    });
    await bus.streams.delete('BOARDS');
    await bus.close();
  }

  async stop(): Promise<void> {
    await this.site.stop();
    await this.infrastructure.stop();
  }
}

export async function startTestSite(options: TestSiteOptions = {}): Promise<TestSite> {
  const infrastructure = await startTestInfrastructure();
  try {
    const site = await startSite({
      dataDir: join(infrastructure.folder, 'site'),
      mode: options.mode ?? 'one-process',
      ports: 'any',
      gateways: options.gateways ?? 1,
      hasProxy: options.hasProxy ?? false,
      ...(options.checkout === undefined ? {} : { checkout: options.checkout }),
      postgres: infrastructure.postgres,
      nats: infrastructure.nats,
      env: {
        NODE_ENV: 'test',
        LOG_LEVEL: 'info',
        ADMIN_PASSWORD: testAdminPassword,
        DRAIN_MS: '300',
        ...options.env,
      },
    });
    return new TestSite(infrastructure, site);
  } catch (error) {
    await infrastructure.stop();
    throw error;
  }
}
