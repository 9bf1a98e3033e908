import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { assertNodeVersion } from './node-version.mjs';

// node scripts/run.mjs <file in the repository> [arguments]: builds what changed, then runs that file.
assertNodeVersion();
const { loadSettings, prepare, root } = await import('./prepare.mjs');
loadSettings();
const [node, , file, ...args] = process.argv;
if (!file) throw new Error('which file?');
await prepare({ console: false, say: () => undefined }).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
process.argv = [node, join(root, file), ...args];
await import(pathToFileURL(join(root, file)).href);
