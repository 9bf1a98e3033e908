import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isUnchanged, recordSources } from './source-stamp.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Settings in `.env` count like the shell's, which go over them. */
export function loadSettings() {
  const path = join(root, '.env');
  if (!existsSync(path)) return;
  const shell = { ...process.env };
  process.loadEnvFile(path);
  // An empty value in the file means the default.
  for (const [name, value] of Object.entries(process.env)) {
    if (value === '' && shell[name] === undefined) delete process.env[name];
  }
}

/** Installs when the lock has changed, builds what has changed. Tells each step that took its time. */
export async function prepare({ console: withConsole = true, say = printStep } = {}) {
  if (!isInstalled()) await step('dependencies installed', say, install);
  await step('services built', say, () => runTool('typescript/bin/tsc', ['-b'], root));
  if (withConsole) await buildConsole(say);
}

export function printStep(text, ms) {
  process.stdout.write(`  ✔ ${text} (${(ms / 1000).toFixed(1)} s)\n`);
}

async function step(text, say, work) {
  const startedAt = performance.now();
  await work();
  say(text, performance.now() - startedAt);
}

/** npm leaves a record of what it installed; it must hold what the lock asks for, and the packages must be there. */
function isInstalled() {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const present = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/') || entry.link) return true;
    // Optional ones for other platforms are in the lock only.
    if (present[path] === undefined) return entry.optional === true;
    return present[path].version === entry.version && existsSync(join(root, path, 'package.json'));
  });
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** No package needs an install script here, so none may run. */
async function install() {
  process.stdout.write('  … installing dependencies with npm ci\n');
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const isNpm = npm !== undefined && npm.endsWith('npm-cli.js');
  await run(isNpm ? process.execPath : 'npm', isNpm ? [npm, ...args] : args, root).catch(() => {
    throw new Error(
      '`npm ci` failed, npm says above why. It needs the network once, and again when package-lock.json has changed.\n' +
        `Run \`npm ci --ignore-scripts\` in ${root} when that is mended, or just this command again.`,
    );
  });
}

async function buildConsole(say) {
  const folder = join(root, 'console');
  if (!existsSync(join(folder, 'index.html'))) return;
  const stamp = join(folder, 'dist', '.sources');
  const sources = ['console', 'libs/client/src', 'libs/contracts/src'].map((path) => join(root, path));
  if (isUnchanged(stamp, sources)) return;
  await step('console built', say, () => runTool('vite/bin/vite.js', ['build', '--logLevel', 'error'], folder));
  recordSources(stamp, sources);
}

/** Runs a program of a dependency with this very Node, found as `folder` would find it. */
export async function runTool(program, args, folder, options = {}) {
  const [name, ...rest] = program.split('/');
  const manifest = createRequire(join(folder, 'package.json')).resolve(`${name}/package.json`);
  await run(process.execPath, [join(manifest, '..', ...rest), ...args], folder, options);
}

/** Resolves when the command has ended with 0; what it prints is shown. */
export function run(command, args, cwd, { env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${[command, ...args].join(' ')} ended with ${signal ?? `code ${code}`}`));
    });
  });
}
