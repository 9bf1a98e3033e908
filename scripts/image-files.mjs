import { cpSync, readFileSync, realpathSync } from 'node:fs';
import { extname, join, relative } from 'node:path';

// node scripts/image-files.mjs <workspace> <target>
// Copies what a container runs: the built workspace and those it depends on, without sources, types and maps.
const [workspace, target] = process.argv.slice(2);
const copied = new Set();
copy(workspace);

function copy(folder) {
  if (copied.has(folder)) return;
  copied.add(folder);
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  cpSync(join(folder, 'package.json'), join(target, folder, 'package.json'));
  cpSync(join(folder, 'dist'), join(target, folder, 'dist'), { recursive: true, filter: isRun });
  for (const name of Object.keys(dependencies)) {
    if (name.startsWith('@boardwire/')) copy(relative('.', realpathSync(join('node_modules', name))));
  }
}

function isRun(path) {
  return ['', '.js', '.json', '.sql'].includes(extname(path)) && !path.endsWith('.tsbuildinfo');
}
