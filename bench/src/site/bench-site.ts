import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { sessionSchema } from '@boardwire/contracts';
import type { Environment } from '@boardwire/embedded';
import { startSite, type Site } from '@boardwire/site';

/** A site for one bench, thrown away afterwards. */
export interface BenchSite {
  site: Site;
  /** Access token of the administrator, who has the programs' row of limits. */
  token: string;
  userId: string;
  stop(): Promise<void>;
}

/** Each service in a process of its own, durable Postgres, warnings only in the logs. */
export async function startBenchSite(say: (text: string) => void, env: Environment = {}): Promise<BenchSite> {
  const dataDir = await mkdtemp(join(tmpdir(), 'boardwire-bench-'));
  const site = await startSite({
    dataDir,
    mode: 'processes',
    ports: 'any',
    env: {
      ...process.env,
      DATABASE_URL: undefined,
      NATS_URL: undefined,
      PUBLIC_URL: undefined,
      LOG_LEVEL: 'warn',
      ...env,
    },
    onStep: ({ text, ms }) => say(`  ✔ ${text} (${(ms / 1_000).toFixed(1)} s)`),
    onEvent: (text) => say(`  … ${text}`),
  });
  const stop = async (): Promise<void> => {
    await site.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    return { site, stop, ...(await signIn(site)) };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function signIn({ publicUrl, adminPassword }: Site): Promise<{ token: string; userId: string }> {
  const response = await fetch(`${publicUrl}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'admin', password: adminPassword.value }),
  });
  if (!response.ok) throw new Error(`signing in answered ${response.status}: ${await response.text()}`);
  const { accessToken, user } = sessionSchema.parse(await response.json());
  return { token: accessToken, userId: user.id };
}

const serviceTokenSeconds = 240;

/** A token for a service's internal routes (HS256 over the site's shared secret), as another service would sign it. */
export function serviceToken(secret: string, audience: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: 'gateway', aud: audience, iat: now, exp: now + serviceTokenSeconds };
  const signed = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
