import type { Given } from '../command.ts';
import type { Finding } from '../report.ts';
import { finding, ok, reasonOf } from './check.ts';

const timeoutMs = 3_000;
const addresses = {
  gateway: 'GATEWAY_INTERNAL_URL',
  chat: 'CHAT_URL',
  federation: 'FEDERATION_URL',
  audit: 'AUDIT_URL',
  applets: 'APPLETS_URL',
} as const;

/** Is every service up, and content? */
export async function checkServices({ settings }: Given): Promise<Finding[]> {
  const env = settings.envOf('gateway');
  const asked = Object.entries(addresses).flatMap(([service, key]) => {
    const url = env[key];
    return url === undefined ? [] : [readiness(service, url)];
  });
  return Promise.all(asked);
}

async function readiness(service: string, url: string): Promise<Finding> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(timeoutMs) });
    const { status, reasons = [] } = (await response.json()) as { status: string; reasons?: string[] };
    if (status === 'ok') return ok(service, 'ready');
    return finding(service, `${status}: ${reasons.join('; ')}`, 'docs/runbooks/service-not-well.md.');
  } catch (error) {
    return finding(service, `does not answer at ${url}: ${reasonOf(error)}`, 'Is it running? Its log says why not.');
  }
}
