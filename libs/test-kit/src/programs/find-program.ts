import { execFile } from 'node:child_process';
import { access, constants, cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolders, withDebianArchive, type Environment } from '@boardwire/embedded';

const run = promisify(execFile);

/** A program that ran when asked for its version. */
export interface FoundProgram {
  path: string;
  version: string;
  /** A folder with the libraries that came with it. */
  libraries?: string;
}

/** A package of Debian, and what is taken out of it. */
export interface ProgramPackage {
  name: string;
  /** Programs inside the package, which stay in one folder; the first one is asked for its version. */
  files: readonly [string, ...string[]];
  versionArgument: string;
  /** Its first group is the version. */
  versionPattern: RegExp;
}

export interface FindProgramOptions {
  env?: Environment;
  usualFolders?: string[];
}

/** A program: on PATH, in the caches, or out of the machine's own Debian archive. @throws what it tried */
export async function findProgram(
  wanted: ProgramPackage,
  {
    env = process.env,
    usualFolders = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'],
  }: FindProgramOptions = {},
): Promise<FoundProgram> {
  const { project, user } = cacheFolders(env);
  const folders = [...(env['PATH'] ?? '').split(delimiter), ...usualFolders].filter((name) => name.startsWith('/'));
  for (const folder of new Set(folders)) {
    const found = await programAt(wanted, folder);
    if (found !== undefined) return found;
  }
  const kept = (await cached(wanted, project)) ?? (await cached(wanted, user));
  if (kept !== undefined) return kept;
  try {
    // The user's cache serves every clone; one that can't be written leaves the project's own.
    return await fetchInto(wanted, await writable(user, project));
  } catch (error) {
    throw new Error(
      `no ${wanted.name} on PATH, in ${usualFolders.join(', ')} or cached, and this machine's package archive gave none: ` +
        (error as Error).message,
      { cause: error },
    );
  }
}

async function cached(wanted: ProgramPackage, cache: string): Promise<FoundProgram | undefined> {
  const isOurs = (name: string) =>
    name.startsWith(`${wanted.name}-`) && /^[\d.]+$/.test(name.slice(wanted.name.length + 1));
  const names = (await readdir(cache).catch(() => [])).filter(isOurs);
  for (const name of names.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))) {
    const found = await programAt(wanted, join(cache, name), join(cache, name, 'lib'));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Libraries come along only where the machine has none of its own: they must not shadow what fits it better. */
async function programAt(
  wanted: ProgramPackage,
  folder: string,
  libraries?: string,
): Promise<FoundProgram | undefined> {
  const path = join(folder, basename(wanted.files[0]));
  const plain = await versionOf(wanted, { path });
  if (plain !== undefined) return { path, version: plain };
  const version = libraries === undefined ? undefined : await versionOf(wanted, { path, libraries });
  return version === undefined || libraries === undefined ? undefined : { path, version, libraries };
}

type Runnable = Pick<FoundProgram, 'path' | 'libraries'>;

async function versionOf(
  { files, versionArgument, versionPattern }: ProgramPackage,
  program: Runnable,
): Promise<string | undefined> {
  try {
    for (const file of files) await access(join(dirname(program.path), basename(file)), constants.X_OK);
    const options = { timeout: 5_000, cwd: '/', env: programEnvironment(program) };
    const { stdout, stderr } = await run(program.path, [versionArgument], options);
    return versionPattern.exec(stdout + stderr)?.[1];
  } catch (error) {
    // One that only tells how it is to be called ends with an error.
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return versionPattern.exec(stdout + stderr)?.[1];
  }
}

export function programEnvironment({ libraries }: Pick<FoundProgram, 'libraries'>): NodeJS.ProcessEnv {
  return { ...process.env, ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }) };
}

function fetchInto(wanted: ProgramPackage, cache: string): Promise<FoundProgram> {
  return withDebianArchive('own-suites', async (archive) => {
    const root = await archive.unpack(wanted.name);
    const built = await mkdtemp(join(cache, `${wanted.name}-unpacked-`));
    try {
      for (const file of wanted.files) await cp(join(root, file), join(built, basename(file)));
      if ((await versionOf(wanted, { path: join(built, basename(wanted.files[0])) })) === undefined) {
        await archive.unpack(...(await archive.librariesOf(wanted.name)));
        await copyLibraries(root, join(built, 'lib'));
      }
      return await keep(wanted, built, cache);
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
async function keep(wanted: ProgramPackage, built: string, cache: string): Promise<FoundProgram> {
  const fetched = await programAt(wanted, built, join(built, 'lib'));
  if (fetched === undefined) throw new Error(`the unpacked ${wanted.name} does not run here`);
  await rename(built, join(cache, `${wanted.name}-${fetched.version}`)).catch(() => undefined);
  const kept = await cached(wanted, cache);
  if (kept === undefined) throw new Error(`${cache} can't keep ${wanted.name}`);
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
