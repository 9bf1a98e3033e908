import { execFile } from 'node:child_process';
import { access, constants, cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolders, withDebianArchive, type Environment } from '@boardwire/embedded';

const run = promisify(execFile);

/** An nginx program that ran when asked for its version. */
export interface NginxProgram {
  path: string;
  version: string;
  /** A folder with the libraries that came with it. */
  libraries?: string;
}

export interface FindNginxOptions {
  env?: Environment;
  usualFolders?: string[];
  /** Replaceable, so that a test can be a machine without a network. */
  fetchInto?: (cache: string) => Promise<NginxProgram>;
}

/** An nginx: on PATH, in the caches, or out of the machine's own Debian archive. @throws what it tried */
export async function findNginx({
  env = process.env,
  usualFolders = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin'],
  fetchInto = fetchDebianNginx,
}: FindNginxOptions = {}): Promise<NginxProgram> {
  const { project, user } = cacheFolders(env);
  const folders = [...(env['PATH'] ?? '').split(delimiter), ...usualFolders].filter((name) => name.startsWith('/'));
  for (const folder of new Set(folders)) {
    const found = await programAt(join(folder, 'nginx'));
    if (found !== undefined) return found;
  }
  const cached = (await cachedNginx(project)) ?? (await cachedNginx(user));
  if (cached !== undefined) return cached;
  try {
    // The user's cache serves every clone; one that can't be written leaves the project's own.
    return await fetchInto(await writable(user, project));
  } catch (error) {
    throw new Error(
      `no nginx on PATH, in ${usualFolders.join(', ')} or cached, and this machine's package archive gave none: ` +
        (error as Error).message,
      { cause: error },
    );
  }
}

async function cachedNginx(cache: string): Promise<NginxProgram | undefined> {
  const names = (await readdir(cache).catch(() => [])).filter((name) => /^nginx-[\d.]+$/.test(name));
  for (const name of names.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))) {
    const found = await programAt(join(cache, name, 'nginx'), join(cache, name, 'lib'));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Libraries come along only where the machine has none of its own: they must not shadow what fits it better. */
async function programAt(path: string, libraries?: string): Promise<NginxProgram | undefined> {
  const plain = await versionOf({ path });
  if (plain !== undefined) return { path, version: plain };
  const version = libraries === undefined ? undefined : await versionOf({ path, libraries });
  return version === undefined || libraries === undefined ? undefined : { path, version, libraries };
}

async function versionOf(program: Pick<NginxProgram, 'path' | 'libraries'>): Promise<string | undefined> {
  try {
    await access(program.path, constants.X_OK);
    const { stderr } = await run(program.path, ['-v'], { timeout: 5_000, cwd: '/', env: nginxEnvironment(program) });
    return /nginx\/(\d+\.\d+\.\d+)/.exec(stderr)?.[1];
  } catch {
    return undefined;
  }
}

export function nginxEnvironment({ libraries }: Pick<NginxProgram, 'libraries'>): NodeJS.ProcessEnv {
  return { ...process.env, ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }) };
}

function fetchDebianNginx(cache: string): Promise<NginxProgram> {
  return withDebianArchive('own-suites', async (archive) => {
    const root = await archive.unpack('nginx');
    const built = await mkdtemp(join(cache, 'nginx-unpacked-'));
    try {
      await cp(join(root, 'usr', 'sbin', 'nginx'), join(built, 'nginx'));
      if ((await versionOf({ path: join(built, 'nginx') })) === undefined) {
        await archive.unpack(...(await archive.librariesOf('nginx')));
        await copyLibraries(root, join(built, 'lib'));
      }
      return await keep(built, cache);
    } finally {
      await rm(built, { recursive: true, force: true });
    }
  });
}

async function copyLibraries(root: string, target: string): Promise<void> {
  await mkdir(target);
  for (const folder of ['lib', 'usr/lib']) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries.filter(({ name }) => /\.so(?:\.|$)/.test(name))) {
      await cp(join(entry.parentPath, entry.name), join(target, entry.name), { dereference: true });
    }
  }
}

/** Whole or not at all; of two suites that fetch at once, one's folder stays. */
async function keep(built: string, cache: string): Promise<NginxProgram> {
  const fetched = await programAt(join(built, 'nginx'), join(built, 'lib'));
  if (fetched === undefined) throw new Error('the unpacked nginx does not run here');
  await rename(built, join(cache, `nginx-${fetched.version}`)).catch(() => undefined);
  const kept = await cachedNginx(cache);
  if (kept === undefined) throw new Error(`${cache} can't keep an nginx`);
  return kept;
}

async function writable(...folders: string[]): Promise<string> {
  for (const folder of folders) {
    const isOurs = await mkdir(folder, { recursive: true })
      .then(() => access(folder, constants.W_OK))
      .then(
        () => true,
        () => false,
      );
    if (isOurs) return folder;
  }
  throw new Error(`neither of ${folders.join(', ')} can be written`);
}
