import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Given } from '../command.ts';
import type { Finding } from '../report.ts';
import { finding, ok } from './check.ts';

const freeMinBytes = 1024 ** 3;
const freeMinShare = 0.1;

/** Of a site that npm start runs: is there room on its disk, and may nobody else read its secrets? */
export async function checkFiles({ settings: { dataDir } }: Given): Promise<Finding[]> {
  return dataDir === undefined ? [] : [await checkDisk(dataDir), await checkSecrets(join(dataDir, 'secrets'))];
}

async function checkDisk(dataDir: string): Promise<Finding> {
  const { bsize, blocks, bavail } = await statfs(dataDir);
  const [free, share] = [bsize * bavail, bavail / blocks];
  const says = `${(free / 1024 ** 3).toFixed(1)} GiB free, ${(share * 100).toFixed(0)} %`;
  if (free >= freeMinBytes && share >= freeMinShare) return ok('disk', says);
  return finding('disk', says, `Make room where ${dataDir} is. Postgres and NATS refuse everything on a full disk.`);
}

async function checkSecrets(folder: string): Promise<Finding> {
  const open: string[] = [];
  for (const name of await readdir(folder)) {
    // oxlint-disable-next-line no-await-in-loop -- a dozen
    const { mode } = await stat(join(folder, name));
    if ((mode & 0o077) !== 0) open.push(name);
  }
  if (open.length === 0) return ok('secrets', 'readable for their owner alone');
  const mend = `chmod 600 ${open.map((name) => join(folder, name)).join(' ')} — and change those that others may have read.`;
  return finding('secrets', `others may read ${open.join(', ')}`, mend);
}
