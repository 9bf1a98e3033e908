import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Whether the files below these folders are those that were recorded in the stamp. */
export function isUnchanged(stamp, folders) {
  try {
    return readFileSync(stamp, 'utf8') === digest(folders);
  } catch {
    return false;
  }
}

export function recordSources(stamp, folders) {
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest(folders));
}

function digest(folders) {
  const hash = createHash('sha256');
  for (const folder of folders) {
    for (const path of filesBelow(folder)) hash.update(`${path.slice(folder.length)}\0`).update(readFileSync(path));
  }
  return hash.digest('hex');
}

function filesBelow(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist') return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
