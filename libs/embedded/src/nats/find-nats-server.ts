import { copyFile, mkdir, readdir, rename } from 'node:fs/promises';
import { delimiter, dirname, join, basename } from 'node:path';
import { cacheFolders, type Environment } from '../checkout.ts';
import { unpackDebianNats } from './debian-nats.ts';
import { isSupported, natsVersion, oldestSupported, type NatsBinary } from './nats-binary.ts';
import { downloadNatsRelease } from './nats-release.ts';

export interface FindNatsOptions {
  env: Environment;
  /** Called before something slow begins: a download. */
  onSlow?: (text: string) => void;
  /** Replaceable, so that a test can be a machine without a network. */
  fetchers?: NatsFetcher[];
  /** Searched after PATH, which an ordinary user's often lacks. */
  usualFolders?: string[];
}

/** A way to bring the program onto this machine, into a cache folder. */
export interface NatsFetcher {
  name: string;
  fetch(cache: string): Promise<string>;
  /** What to tell the user although it worked. */
  warning?: string;
}

const defaultFetchers: NatsFetcher[] = [
  { name: 'the official release', fetch: (cache) => downloadNatsRelease(cache) },
  { name: "Debian's package", fetch: (cache) => unpackDebianNats(cache, 'newer-suite') },
  {
    name: "this machine's own package archive",
    fetch: (cache) => unpackDebianNats(cache, 'own-suites'),
    warning: `older than ${oldestSupported}: set NATS_SERVER_BIN to a newer nats-server if something misbehaves`,
  },
];

/**
 * A nats-server program: `NATS_SERVER_BIN`, PATH and the usual folders, the caches, the official release, Debian's
 * package. Fails with a message that lists everything tried and what to type.
 */
export async function findNatsServer(options: FindNatsOptions): Promise<NatsBinary> {
  const { env } = options;
  const tried: string[] = ['NATS_URL: not set'];
  const named = env['NATS_SERVER_BIN'];
  if (named) return namedBinary(named);
  tried.push('NATS_SERVER_BIN: not set');
  return (await installedBinary(options, tried)) ?? (await cachedBinary(env, tried)) ?? fetchBinary(options, tried);
}

/** What the user named is taken at its word: an older one with a warning, a missing one is an error. */
async function namedBinary(path: string): Promise<NatsBinary> {
  const version = await natsVersion(path);
  if (version === undefined) throw new Error(`NATS_SERVER_BIN=${path} is not a nats-server that runs here`);
  return { path, version, origin: 'NATS_SERVER_BIN', ...ageWarning(version) };
}

async function installedBinary(options: FindNatsOptions, tried: string[]): Promise<NatsBinary | undefined> {
  const { env, usualFolders = ['/usr/sbin', '/usr/local/bin'] } = options;
  const folders = [...(env['PATH'] ?? '').split(delimiter), ...usualFolders];
  for (const folder of new Set(folders.filter((name) => name.startsWith('/')))) {
    const path = join(folder, 'nats-server');
    const version = await natsVersion(path);
    if (version === undefined) continue;
    if (isSupported(version)) return { path, version, origin: folder };
    tried.push(`${path}: version ${version} is older than ${oldestSupported}`);
  }
  tried.push(`PATH, ${usualFolders.join(', ')}: no usable nats-server`);
  return undefined;
}

async function cachedBinary(env: Environment, tried: string[]): Promise<NatsBinary | undefined> {
  const { project, user } = cacheFolders(env);
  for (const cache of [project, user]) {
    const names = (await readdir(cache).catch(() => [])).filter((name) => /^nats-server-[\d.]+$/.test(name));
    names.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
    for (const name of names) {
      const path = join(cache, name, 'nats-server');
      const version = await natsVersion(path);
      if (version !== undefined) return { path, version, origin: 'cache', ...ageWarning(version) };
    }
    tried.push(`${cache}: nothing cached`);
  }
  return undefined;
}

async function fetchBinary(options: FindNatsOptions, tried: string[]): Promise<NatsBinary> {
  const { project, user } = cacheFolders(options.env);
  for (const fetcher of options.fetchers ?? defaultFetchers) {
    options.onSlow?.(`NATS: fetching nats-server from ${fetcher.name}`);
    try {
      const path = await fetcher.fetch(project);
      const version = (await natsVersion(path)) ?? 'unknown';
      await keepForOtherClones(path, user);
      return { path, version, origin: fetcher.name, ...(isSupported(version) ? {} : ageWarning(version)) };
    } catch (error) {
      tried.push(`${fetcher.name}: ${(error as Error).message}`);
    }
  }
  throw new Error(howToGetNats(tried));
}

/** Best effort: the user's cache may be on a read-only or foreign home folder. */
async function keepForOtherClones(path: string, userCache: string): Promise<void> {
  const target = join(userCache, basename(dirname(path)), 'nats-server');
  try {
    await mkdir(dirname(target), { recursive: true });
    await copyFile(path, `${target}.${process.pid}`);
    await rename(`${target}.${process.pid}`, target);
  } catch {
    // The project's cache has it; the next clone will fetch its own.
  }
}

function ageWarning(version: string): { warning?: string } {
  if (isSupported(version)) return {};
  return { warning: `nats-server ${version} is older than ${oldestSupported}; set NATS_SERVER_BIN to a newer one` };
}

function howToGetNats(tried: string[]): string {
  return [
    'No nats-server was found, and none could be fetched. Tried:',
    ...tried.map((line) => `  - ${line}`),
    'Any one of these helps:',
    `  apt-get install nats-server           (Debian 13 or newer; ${oldestSupported} or newer is needed)`,
    '  NATS_SERVER_BIN=/path/to/nats-server npm start',
    '  docker run -d -p 4222:4222 nats:2.11-alpine -js',
    '      and NATS_URL=nats://127.0.0.1:4222 npm start',
  ].join('\n');
}
