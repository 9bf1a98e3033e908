import { execFile } from 'node:child_process';
import { access, chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stopOrphan } from '../process-table.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { postgresEnvironment, runAs, setOwner, type UnprivilegedUser } from './unprivileged-user.ts';

const run = promisify(execFile);
const initializeTimeoutMs = 120_000;

/** A Postgres data folder on disk, made at first use. */
export interface PostgresCluster {
  folder: string;
  isNew: boolean;
  hadOrphan: boolean;
}

export interface ClusterOptions {
  /** The folder that holds the cluster and nothing else. */
  home: string;
  user: UnprivilegedUser;
  password: string;
  /** A cluster that never ran, to copy instead of running initdb; it must have the same password. */
  template?: string;
}

/** The cluster in `home`, created there if need be, owned by who will run it, with nothing running on it. */
export async function prepareCluster(options: ClusterOptions): Promise<PostgresCluster> {
  const folder = join(options.home, 'cluster');
  await mkdir(options.home, { recursive: true, mode: 0o700 });
  const isNew = !(await exists(join(folder, 'PG_VERSION')));
  if (isNew) await createCluster(folder, options);
  else await assertVersion(folder, options.user.binaries);
  const hadOrphan = isNew ? false : await stopPostgresOn(folder);
  if (options.user.owner !== undefined) await setOwner(options.home, options.user.owner);
  return { folder, isNew, hadOrphan };
}

/** Made beside its final place and renamed: an interrupted initdb must not look like a cluster. */
async function createCluster(folder: string, options: ClusterOptions): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  if (options.template) await run('cp', ['-R', options.template, unfinished]);
  else await initialize(unfinished, options);
  await chmod(unfinished, 0o700);
  await rename(unfinished, folder);
}

async function initialize(folder: string, { home, user, password }: ClusterOptions): Promise<void> {
  const passwordFile = join(home, 'initial-password');
  await mkdir(folder, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  try {
    if (user.owner !== undefined) await setOwner(home, user.owner);
    const args = [
      user.binaries.initdb,
      `--pgdata=${folder}`,
      '--username=postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
      '--no-instructions',
    ];
    await runAs(user, args, initializeTimeoutMs);
  } catch (error) {
    throw new Error(`initdb failed: ${(error as { stderr?: string }).stderr?.trim() || (error as Error).message}`, {
      cause: error,
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function assertVersion(folder: string, binaries: PostgresBinaries): Promise<void> {
  const made = (await readFile(join(folder, 'PG_VERSION'), 'utf8')).trim();
  const { stdout } = await run(binaries.postgres, ['--version'], { cwd: '/', env: postgresEnvironment(binaries) });
  const runs = /(\d+)/.exec(stdout)?.[1];
  if (runs !== undefined && runs !== made) {
    throw new Error(`${folder} was made by Postgres ${made}, but ${binaries.postgres} is version ${runs}`);
  }
}

/** A launcher that was killed together with its guard leaves Postgres running: end it in order before starting anew. */
export async function stopPostgresOn(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
  return stopOrphan(Number(text.split('\n')[0]), folder, 'SIGINT');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
