import { readFile } from 'node:fs/promises';
import { isAlive, parentOf, processStart } from '@boardwire/embedded';

const everyMs = 500;

interface Watched {
  pid: number;
  start: string;
}

/**
 * npm doesn't pass SIGTERM on, and a killed npm leaves us running without a terminal. So the processes between us and
 * the user are watched: our parent, and above a shell that npm put in between, npm itself. Without npm (a service
 * manager, `node site/dist/main.js &`) nobody is watched.
 */
export async function watchParent(onGone: () => void): Promise<() => void> {
  const watched = process.env['npm_lifecycle_event'] === undefined ? [] : await parents();
  const timer = setInterval(() => {
    void anyGone(watched).then((isGone) => {
      if (!isGone) return;
      clearInterval(timer);
      onGone();
    });
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

async function parents(): Promise<Watched[]> {
  const found: Watched[] = [];
  let pid: number | undefined = process.ppid;
  for (let depth = 0; pid !== undefined && pid > 1 && depth < 3; depth++) {
    found.push({ pid, start: await processStart(pid) });
    const name = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
    if (!/^(sh|dash|bash|ash|zsh)$/.test(name)) break;
    pid = await parentOf(pid);
  }
  return found;
}

async function anyGone(watched: Watched[]): Promise<boolean> {
  for (const { pid, start } of watched) {
    if (!(await isAlive(pid)) || (await processStart(pid)) !== start) return true;
  }
  return false;
}
