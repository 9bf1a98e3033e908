import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from './postgres-binaries.ts';

const run = promisify(execFile);
const nobody = 65_534;

const asNobodyWithCapability = [
  'setpriv',
  `--reuid=${nobody}`,
  `--regid=${nobody}`,
  '--clear-groups',
  '--inh-caps=+dac_override',
  '--ambient-caps=+dac_override',
];
const asNobodyInNamespace = ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`];

/** How a program of Postgres is started: Postgres refuses to run as root. */
export interface UnprivilegedUser {
  binaries: PostgresBinaries;
  /** Put in front of the command. */
  prefix: string[];
  uid?: number;
  gid?: number;
  /** Who must own the data folder; undefined: whoever made it. */
  owner?: number;
}

/**
 * As an ordinary user: nothing to do. As root: uid nobody, when it can reach the programs and the data folder. Below a
 * folder closed to others (/root) it can't; then a user namespace, where we appear as nobody but files stay root's;
 * and where namespaces are forbidden (most containers), nobody with the one capability that opens closed folders.
 */
export async function unprivilegedUser(binaries: PostgresBinaries, folder: string): Promise<UnprivilegedUser> {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) return { binaries, prefix: hasName() ? [] : asNobodyInNamespace };
  const ways: (() => Promise<UnprivilegedUser>)[] = [
    () => Promise.resolve({ binaries, prefix: [], uid: nobody, gid: nobody, owner: nobody }),
    () => Promise.resolve({ binaries, prefix: asNobodyInNamespace, owner: 0 }),
    // initdb checks its programs with access(2), which ignores capabilities: so these must lie in the open.
    async () => ({ binaries: await copyInTheOpen(binaries), prefix: asNobodyWithCapability, owner: nobody }),
  ];
  const failures: string[] = [];
  for (const way of ways) {
    try {
      const user = await way();
      await tryUser(user, folder);
      return user;
    } catch (error) {
      const reason = (error as { stderr?: string }).stderr?.trim().split('\n')[0] || (error as Error).message;
      failures.push(reason.trim());
    }
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
async function tryUser(user: UnprivilegedUser, folder: string): Promise<void> {
  const probe = join(folder, `.probe-${process.pid}`);
  try {
    await mkdir(probe, { mode: 0o700 });
    await writeFile(join(probe, 'file'), '', { mode: 0o600 });
    if (user.owner !== undefined) await setOwner(probe, user.owner);
    const script = '"$1" --version >/dev/null && cat "$2/file" && : > "$2/written"';
    const args = ['/bin/sh', '-c', script, 'probe', user.binaries.postgres, probe];
    await runAs(user, args, 10_000);
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

/** Runs a command to its end as that user. */
export async function runAs(user: UnprivilegedUser, args: string[], timeoutMs: number): Promise<void> {
  const [command, ...rest] = [...user.prefix, ...args];
  await run(command as string, rest, {
    cwd: '/',
    timeout: timeoutMs,
    env: postgresEnvironment(user.binaries),
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    ...(user.gid === undefined ? {} : { gid: user.gid }),
  });
}

/** A copy of the package's programs in the temporary folder, made once for each version and trusted if it is root's. */
async function copyInTheOpen(binaries: PostgresBinaries): Promise<PostgresBinaries> {
  const source = dirname(dirname(binaries.postgres));
  const name = `boardwire-postgres-${createHash('sha256').update(source).digest('hex').slice(0, 12)}`;
  const target = join(tmpdir(), name);
  if (!(await isOurs(target))) {
    const unfinished = await mkdtemp(`${target}-`);
    await run('cp', ['-R', `${source}/.`, unfinished]);
    await run('chmod', ['-R', 'a+rX', unfinished]);
    await rename(unfinished, target);
  }
  const bin = join(target, 'bin');
  return { ...binaries, initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}

async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (found === undefined) return false;
  if (found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0) return true;
  throw new Error(`${folder} belongs to somebody else`);
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
