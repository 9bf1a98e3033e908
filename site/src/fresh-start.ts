import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stopServersIn, type Environment } from '@boardwire/embedded';
import { stopOrphanServices } from './site-state.ts';
import { UserError } from './user-error.ts';

/** What a site keeps in its data folder. Anything else there is not ours to delete. */
const ours = ['postgres', 'postgres-lib', 'postgres-port', 'nats', 'nats-port', 'secrets', 'logs', 'site.json'];

/** Empties the data folder. Servers that were given by their address are somebody else's: those are not emptied. */
export async function emptySite(dataDir: string, env: Environment): Promise<void> {
  for (const name of ['DATABASE_URL', 'NATS_URL']) {
    if (env[name])
      throw new UserError(`--fresh does not empty the server at ${name}. Empty it yourself, or unset ${name}.`);
  }
  await stopOrphanServices(dataDir);
  await stopServersIn(dataDir);
  const present = await readdir(dataDir).catch(() => []);
  for (const name of present.filter((entry) => ours.includes(entry))) {
    await rm(join(dataDir, name), { recursive: true, force: true });
  }
}
