import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The Debian release whose packages are new enough for everything here; older machines fetch from there too. */
const suite = 'trixie';

/** The suites the machine has itself, or the one above by the machine's own archive address. */
export type DebianSource = 'newer-suite' | 'own-suites';

/** Packages of the machine's Debian archive, for as long as `withDebianArchive` runs. */
export interface DebianArchive {
  /** Unpacks the packages over each other, without installing anything, and answers the folder that stands for `/`. */
  unpack(...names: string[]): Promise<string>;
  /** Libraries that an unpacked package needs beside the C library. */
  librariesOf(name: string): Promise<string[]>;
}

/**
 * Opens the machine's archive without touching the machine: apt runs on folders of its own, so neither root nor the
 * machine's package lists are needed. apt checks the archive's signature.
 */
export async function withDebianArchive<T>(
  source: DebianSource,
  use: (archive: DebianArchive) => Promise<T>,
): Promise<T> {
  await assertDebianTools();
  // apt's configuration can't carry a space in a folder's name; /tmp can't have one.
  const scratch = await mkdtemp('/tmp/boardwire-apt-');
  try {
    const options = source === 'newer-suite' ? await newerSuiteOptions(scratch) : await ownSuitesOptions(scratch);
    await aptGet([...options, '-qq', 'update'], scratch);
    return await use(new OpenArchive(scratch, options));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

class OpenArchive implements DebianArchive {
  private readonly files = new Map<string, string>();

  constructor(
    private readonly scratch: string,
    private readonly options: readonly string[],
  ) {}

  async unpack(...names: string[]): Promise<string> {
    const root = join(this.scratch, 'root');
    for (const name of names) await run('dpkg', ['-x', await this.download(name), root]);
    return root;
  }

  async librariesOf(name: string): Promise<string[]> {
    const { stdout } = await run('dpkg', ['-f', await this.download(name), 'Depends']);
    const wanted = stdout.split(',').map((part) => /^\s*([\w.+-]+)/.exec(part)?.[1] ?? '');
    return [...new Set(wanted)].filter((dependency) => /^(?:lib(?!c6$)|zlib)/.test(dependency));
  }

  private async download(name: string): Promise<string> {
    const known = this.files.get(name);
    if (known !== undefined) return known;
    const folder = join(this.scratch, 'deb', name);
    await mkdir(folder, { recursive: true });
    await aptGet([...this.options, '-qq', 'download', name], folder);
    const deb = (await readdir(folder)).find((file) => file.endsWith('.deb'));
    if (!deb) throw new Error(`apt downloaded no package ${name}`);
    this.files.set(name, join(folder, deb));
    return join(folder, deb);
  }
}

/** A sources file with the machine's own archive address and the newer suite. */
async function newerSuiteOptions(scratch: string): Promise<string[]> {
  const { address, signedBy } = await debianArchive();
  await mkdir(join(scratch, 'parts'));
  const sources = join(scratch, 'sources.list');
  await writeFile(sources, `deb [signed-by=${signedBy}] ${address} ${suite} main\n`);
  const options = await privateFolders(scratch);
  const own = [`Dir::Etc::SourceList=${sources}`, `Dir::Etc::SourceParts=${join(scratch, 'parts')}`];
  // Without it apt succeeds when it could not fetch the list, and then misses the package instead of the network.
  return [...options, ...[...own, 'APT::Update::Error-Mode=any'].flatMap((option) => ['-o', option])];
}

function ownSuitesOptions(scratch: string): Promise<string[]> {
  return privateFolders(scratch);
}

async function privateFolders(scratch: string): Promise<string[]> {
  await mkdir(join(scratch, 'lists', 'partial'), { recursive: true });
  await mkdir(join(scratch, 'cache', 'archives', 'partial'), { recursive: true });
  return [
    ['Dir::State::Lists', join(scratch, 'lists')],
    ['Dir::Cache', join(scratch, 'cache')],
    ['APT::Sandbox::User', ''],
    ['Debug::NoLocking', '1'],
    ['Acquire::Languages', 'none'],
    ['Acquire::Retries', '1'],
    ['Acquire::http::Timeout', '10'],
    ['Acquire::https::Timeout', '10'],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** The address of the machine's Debian archive, as apt itself understands its sources. */
async function debianArchive(): Promise<{ address: string; signedBy: string }> {
  const format = '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SIGNED_BY)';
  const { stdout } = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const codename = /^VERSION_CODENAME=(\S+)/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1];
  const targets = stdout.split('\n').map((line) => line.split('|'));
  const main = targets.find(
    ([, release, component]) => component === 'main' && [codename, 'stable', 'oldstable', 'testing'].includes(release),
  );
  if (!main?.[0]) throw new Error("apt's sources name no Debian archive");
  const signedBy = [main[3], ...defaultKeyrings].find((path) => path?.startsWith('/'));
  for (const keyring of [signedBy, ...defaultKeyrings]) {
    if (keyring && (await isThere(keyring))) return { address: main[0], signedBy: keyring };
  }
  throw new Error('no Debian keyring on this machine');
}

const defaultKeyrings = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
];

async function assertDebianTools(): Promise<void> {
  for (const tool of ['/usr/bin/apt-get', '/usr/bin/dpkg']) {
    if (!(await isThere(tool))) throw new Error(`no ${tool} on this machine`);
  }
}

async function aptGet(args: string[], cwd: string): Promise<void> {
  try {
    await run('apt-get', args, { cwd, timeout: 90_000 });
  } catch (error) {
    const lines = ((error as { stderr?: string }).stderr ?? '').split('\n').filter((line) => /^(E|W):/.test(line));
    throw new Error(lines[0] ?? (error as Error).message.split('\n')[0], { cause: error });
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
