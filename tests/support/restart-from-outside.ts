import { expect } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { call } from './person.ts';
import type { TestSite } from './test-site.ts';

export interface RestartOptions {
  signal?: NodeJS.Signals;
  /** Until another process is there. */
  withinMs?: number;
}

/** Ends a service's process as an orchestrator does, and waits until the launcher has it ready again. */
export async function restartFromOutside(site: TestSite, name: string, options: RestartOptions = {}): Promise<void> {
  const { signal = 'SIGTERM', withinMs = 20_000 } = options;
  const pidOf = () => site.site.services[name]!.pid;
  const before = pidOf()!;
  process.kill(before, signal);
  await eventually(() => expect([undefined, before]).not.toContain(pidOf()), { timeoutMs: withinMs });
  await eventually(async () => expect((await call(`${site.internalUrl(name)}/readyz`)).status).toBe(200), {
    timeoutMs: 15_000,
  });
}
