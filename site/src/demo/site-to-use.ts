import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment, Step } from '@boardwire/embedded';
import { dataFolder } from '../data-folder.ts';
import { defaultPort } from '../site-ports.ts';
import { readSiteRecord } from '../site-state.ts';
import { startSite } from '../start-site.ts';
import { UserError } from '../user-error.ts';

export interface SiteInUse {
  url: string;
  adminPassword: string;
  /** Stops what the demo started itself; nothing otherwise. */
  release(): Promise<void>;
}

const answerTimeoutMs = 2_000;

/** The site asked for, else the one that runs on this machine, else one of our own that is thrown away afterwards. */
export async function siteToUse(
  url: string | undefined,
  env: Environment,
  say: (text: string) => void,
): Promise<SiteInUse> {
  const dataDir = dataFolder(env);
  const known = url ?? (await readSiteRecord(dataDir))?.publicUrl ?? `http://127.0.0.1:${env['PORT'] || defaultPort}`;
  if (await isBoardwire(known)) {
    say(`Using the site at ${known}`);
    return { url: known, adminPassword: await adminPassword(dataDir, env), release: () => Promise.resolve() };
  }
  if (url !== undefined) throw new UserError(`No Boardwire site answers at ${url}.`);
  say('No site runs here: starting one of our own (npm start keeps one running)');
  return ownSite(env, say);
}

async function isBoardwire(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/.well-known/jwks.json`, { signal: AbortSignal.timeout(answerTimeoutMs) });
    return response.ok && 'keys' in ((await response.json()) as object);
  } catch {
    return false;
  }
}

async function adminPassword(dataDir: string, env: Environment): Promise<string> {
  const given = env['ADMIN_PASSWORD'];
  if (given) return given;
  const place = join(dataDir, 'secrets', 'admin-password');
  try {
    return (await readFile(place, 'utf8')).trim();
  } catch {
    throw new UserError(`The programs of the demo sign in as admin: set ADMIN_PASSWORD (there is none in ${place}).`);
  }
}

async function ownSite(env: Environment, say: (text: string) => void): Promise<SiteInUse> {
  const dataDir = await mkdtemp(join(tmpdir(), 'boardwire-demo-'));
  const removeData = () => rm(dataDir, { recursive: true, force: true });
  try {
    const site = await startSite({
      dataDir,
      // Whatever servers and ports the user's own site has, this one must not touch them.
      env: {
        ...env,
        NODE_ENV: undefined,
        DATABASE_URL: undefined,
        NATS_URL: undefined,
        PUBLIC_URL: undefined,
        GUESTS: 'on',
        LOG_LEVEL: 'warn',
        ADMIN_PASSWORD: randomBytes(12).toString('base64url'),
      },
      ports: 'any',
      onStep: ({ text, ms }: Step) => say(`  ✔ ${text} (${(ms / 1_000).toFixed(1)} s)`),
      onEvent: (text) => say(`  … ${text}`),
    });
    return {
      url: site.publicUrl,
      adminPassword: site.adminPassword.value,
      release: async () => {
        await site.stop();
        await removeData();
      },
    };
  } catch (error) {
    await removeData();
    throw error;
  }
}
