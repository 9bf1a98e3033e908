import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, processStart } from '@boardwire/embedded';
import { UserError } from './user-error.ts';

/** Held by the one launcher of a data folder. */
export interface SiteLock {
  release(): Promise<void>;
}

interface Holder {
  pid: number;
  start: string;
}

/**
 * Takes the data folder for this process. A lock whose holder is gone is taken over; one whose holder lives is told
 * to the user. The holder is known by pid and start time, because pids are given out again.
 */
export async function lockSite(dataDir: string): Promise<SiteLock> {
  const path = join(dataDir, 'site.lock');
  const self: Holder = { pid: process.pid, start: await processStart(process.pid) };
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await create(path, self)) return { release: () => rm(path, { force: true }) };
    const holder = await readHolder(path);
    if (holder && (await isHolding(holder))) {
      throw new UserError(
        `Boardwire already runs on ${dataDir} (pid ${holder.pid}). Stop it first, or set BOARDWIRE_DATA and PORT for a second site.`,
      );
    }
    await removeStale(path);
  }
  throw new UserError(`${path} can't be taken: another start is going on.`);
}

/** Written aside and linked into place, so that nobody ever reads a lock that doesn't name its holder yet. */
async function create(path: string, holder: Holder): Promise<boolean> {
  const aside = `${path}.${holder.pid}.new`;
  await writeFile(aside, JSON.stringify(holder), { mode: 0o600 });
  try {
    await link(aside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

async function isHolding({ pid, start }: Holder): Promise<boolean> {
  return pid !== process.pid && (await isAlive(pid)) && (await processStart(pid)) === start;
}

/** Moved away before it is removed: of two starters that saw the same stale lock, one moves it. */
async function removeStale(path: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  await rename(path, aside).catch(() => undefined);
  await rm(aside, { force: true });
}
