import { execFile } from 'node:child_process';
import { chown, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from './postgres-binaries.ts';

const run = promisify(execFile);
const nobody = 65_534;

const asNobodyInNamespace = ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`];

/** How a program of Postgres is started: Postgres refuses to run as root. */
export interface UnprivilegedUser {
  /** Put in front of the command. */
  prefix: string[];
  uid?: number;
  gid?: number;
  /** Who must own the data folder; undefined: whoever made it. */
  owner?: number;
}

/**
 * As an ordinary user: nothing to do. As root: uid nobody, when it can reach the programs and the data folder. Below a
 * folder closed to others (/root) it can't; then either a user namespace, where we appear as nobody but files stay
 * root's, or nobody with the one capability that opens closed folders.
 */
export async function unprivilegedUser(binaries: PostgresBinaries, folder: string): Promise<UnprivilegedUser> {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) return hasName() ? { prefix: [] } : { prefix: asNobodyInNamespace };
  const ways: UnprivilegedUser[] = [
    { prefix: [], uid: nobody, gid: nobody, owner: nobody },
    { prefix: asNobodyInNamespace, owner: 0 },
    {
      prefix: [
        'setpriv',
        `--reuid=${nobody}`,
        `--regid=${nobody}`,
        '--clear-groups',
        '--inh-caps=+dac_override',
        '--ambient-caps=+dac_override',
      ],
      owner: nobody,
    },
  ];
  const failures: string[] = [];
  for (const way of ways) {
    const failure = await tryWay(way, binaries, folder);
    if (failure === undefined) return way;
    failures.push(`${way.prefix[0] ?? 'setuid'}: ${failure}`);
  }
  throw new Error(
    `Postgres does not run as root, and no way was found to run it as somebody else (${failures.join('; ')}). ` +
      'Start Boardwire as an ordinary user, or set DATABASE_URL.',
  );
}

/** Postgres wants to know its user's name; a container started with a bare uid has none. */
function hasName(): boolean {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
}

/** Runs postgres --version as that user would, and reads and writes a file in the data folder. */
async function tryWay(way: UnprivilegedUser, binaries: PostgresBinaries, folder: string): Promise<string | undefined> {
  const probe = join(folder, `.probe-${process.pid}`);
  try {
    await mkdir(probe, { mode: 0o700 });
    await writeFile(join(probe, 'file'), '', { mode: 0o600 });
    if (way.owner !== undefined) await setOwner(probe, way.owner);
    const script = '"$1" --version >/dev/null && cat "$2/file" && : > "$2/written"';
    const [command, ...args] = [...way.prefix, '/bin/sh', '-c', script, 'probe', binaries.postgres, probe];
    await run(command as string, args, {
      cwd: '/',
      timeout: 10_000,
      env: postgresEnvironment(binaries),
      ...(way.uid === undefined ? {} : { uid: way.uid, gid: way.uid }),
    });
    return undefined;
  } catch (error) {
    return (error as { stderr?: string }).stderr?.trim().split('\n')[0] || (error as Error).message;
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

/** Gives a folder and all below it to the user, when its top isn't the user's already. */
export async function setOwner(folder: string, owner: number): Promise<void> {
  if ((await lstat(folder)).uid === owner && owner !== 0) {
    const names = await readdir(folder);
    const owners = await Promise.all(names.map(async (name) => (await lstat(join(folder, name))).uid));
    if (owners.every((uid) => uid === owner)) return;
  }
  await run('chown', ['-hR', `${owner}:${owner}`, folder]);
  await chown(folder, owner, owner);
}

/** A plain environment: the user's locale must not decide how the database sorts, and no PG* variable leaks in. */
export function postgresEnvironment(binaries: PostgresBinaries): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    LC_ALL: 'C',
    TZ: 'UTC',
    ...(binaries.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: binaries.libraryPath }),
  };
}
