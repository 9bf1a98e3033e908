import { execFile } from 'node:child_process';
import { access, chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { natsVersion } from './nats-binary.ts';

const run = promisify(execFile);

/** The Debian release whose package is new enough; older machines fetch it from there too. */
const suite = 'trixie';

export type DebianSource = 'newer-suite' | 'own-suites';

/**
 * Fetches Debian's nats-server package and unpacks it into `cache`, without installing anything: apt runs on folders of
 * its own there, so neither root nor the machine's package lists are needed. apt checks the archive's signature.
 */
export async function unpackDebianPackage(cache: string, source: DebianSource): Promise<string> {
  await assertDebianTools();
  await mkdir(cache, { recursive: true });
  // apt's configuration can't carry a space in a folder's name; /tmp can't have one.
  const scratch = await mkdtemp('/tmp/boardwire-apt-');
  try {
    const options = source === 'newer-suite' ? await newerSuiteOptions(scratch) : await ownSuitesOptions(scratch);
    await mkdir(join(scratch, 'deb'));
    await aptGet([...options, '-qq', 'update'], scratch);
    await aptGet([...options, '-qq', 'download', 'nats-server'], join(scratch, 'deb'));
    const deb = (await readdir(join(scratch, 'deb'))).find((name) => name.endsWith('.deb'));
    if (!deb) throw new Error('apt downloaded no package');
    await run('dpkg', ['-x', join(scratch, 'deb', deb), join(scratch, 'root')]);
    return await keep(join(scratch, 'root', 'usr', 'sbin', 'nats-server'), cache);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function keep(program: string, cache: string): Promise<string> {
  const version = await natsVersion(program);
  if (version === undefined) throw new Error('the unpacked program does not run here');
  const folder = join(cache, `nats-server-${version}`);
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'nats-server');
  await copyFile(program, `${path}.new`);
  await chmod(`${path}.new`, 0o755);
  await rename(`${path}.new`, path);
  return path;
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
