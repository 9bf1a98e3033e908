import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { checkoutFolder } from '@boardwire/embedded';

/** A file of the checkout, by its path, and what it becomes. */
export type Changes = Readonly<Record<string, (source: string) => string>>;

const workspaces = ['libs', 'services', 'applets'];
const buildTimeoutMs = 300_000;

/** A release that differs from this checkout: its sources in a folder of their own, changed, and built there. */
export async function buildRelease(folder: string, changes: Changes): Promise<void> {
  for (const name of ['package.json', 'tsconfig.base.json', ...workspaces]) {
    // oxlint-disable-next-line no-await-in-loop -- a few
    await cp(join(checkoutFolder, name), join(folder, name), { recursive: true, filter: isSource });
  }
  await linkPackages(folder);
  for (const [path, change] of Object.entries(changes)) {
    const file = join(folder, path);
    // oxlint-disable-next-line no-await-in-loop
    const before = await readFile(file, 'utf8');
    const after = change(before);
    if (after === before) throw new Error(`${path} is not what the change was written for`);
    // oxlint-disable-next-line no-await-in-loop
    await writeFile(file, after);
  }
  await build(folder);
}

const isSource = (path: string) => !['node_modules', 'test', 'dist'].includes(basename(path));

/** Packages of others are this checkout's; Boardwire's own are those of the folder. */
async function linkPackages(folder: string): Promise<void> {
  const theirs = join(checkoutFolder, 'node_modules');
  await mkdir(join(folder, 'node_modules', '@boardwire'), { recursive: true });
  const names = (await readdir(theirs)).filter((name) => name !== '@boardwire' && !name.startsWith('.'));
  await Promise.all(names.map((name) => symlink(join(theirs, name), join(folder, 'node_modules', name))));
  const own = join('node_modules', '@boardwire');
  for (const name of await readdir(join(checkoutFolder, own))) {
    // oxlint-disable-next-line no-await-in-loop -- a few; relative links, so that they stay inside the folder
    await symlink(await readlink(join(checkoutFolder, own, name)), join(folder, own, name));
  }
}

/** By one thread: other suites run beside it. */
async function build(folder: string): Promise<void> {
  const projects = (await readdir(join(folder, 'services'))).map((name) => join('services', name));
  const compiler = join(checkoutFolder, 'node_modules', 'typescript', 'bin', 'tsc');
  await promisify(execFile)(
    process.execPath,
    [compiler, '-b', '--singleThreaded', ...projects, join('applets', 'axonchat')],
    {
      cwd: folder,
      timeout: buildTimeoutMs,
    },
  ).catch((error: { stdout?: string; message: string }) => {
    throw new Error(`the changed release doesn't build: ${error.stdout ?? error.message}`);
  });
}

export async function removeRelease(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
