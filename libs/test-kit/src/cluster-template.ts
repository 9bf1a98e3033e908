import { chmod, lstat, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClusterTemplate } from '@boardwire/embedded';

/** Password of every test cluster: they listen on the loopback address for a minute. */
export const testPassword = 'boardwire-test';

let template: Promise<string> | undefined;

/**
 * A Postgres cluster fresh from initdb, made once per user and machine and copied for every suite. Two suites that
 * make it at the same moment don't disturb each other: the first rename wins.
 */
export function clusterTemplate(): Promise<string> {
  return (template ??= findOrCreate());
}

async function findOrCreate(): Promise<string> {
  const home = join(tmpdir(), `boardwire-template-${process.getuid?.() ?? 0}`);
  const folder = join(home, 'postgres-17', 'cluster');
  await mkdir(home, { mode: 0o711 }).catch(() => undefined);
  await assertOurs(home);
  if (await isThere(join(folder, 'PG_VERSION'))) return folder;
  const unfinished = await mkdtemp(join(home, 'unfinished-'));
  if (process.getuid?.() === 0) await chmod(unfinished, 0o711);
  await createClusterTemplate(unfinished, testPassword);
  await rename(unfinished, join(home, 'postgres-17')).catch(() => rm(unfinished, { recursive: true, force: true }));
  return folder;
}

/** The temporary folder is everybody's: a template planted by somebody else is not run. */
async function assertOurs(home: string): Promise<void> {
  const found = await lstat(home);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) throw new Error(`${home} belongs to somebody else`);
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
