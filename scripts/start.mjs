import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { assertNodeVersion } from './node-version.mjs';

assertNodeVersion();
const { loadSettings, prepare, root } = await import('./prepare.mjs');

loadSettings();

if (!process.argv.includes('--help')) {
  process.stdout.write('Boardwire\n');
  await prepare().catch((error) => {
    process.stderr.write(`\nCould not prepare the site: ${error.message}\n`);
    process.exit(1);
  });
} else {
  await prepare({ console: false, say: () => undefined });
}
// In this very process: one less between npm and the site, so signals and the parent's end arrive.
await import(pathToFileURL(join(root, 'site/dist/main.js')).href);
