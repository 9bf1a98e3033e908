import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether the process exists (a zombie that nobody collected doesn't count). */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, but belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !/^\d+ \(.*\) Z/s.test(stat);
}

/** The command line of a process, its arguments separated by spaces; empty when it is gone or there is no /proc. */
export async function commandLine(pid: number): Promise<string> {
  const raw = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return raw.split('\0').join(' ').trim();
}

/** A process and everything it started, parents first. */
export async function processTree(root: number): Promise<number[]> {
  const childrenOf = new Map<number, number[]>();
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // The command in parentheses may itself hold spaces and parentheses: the fields start after the last one.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (parent > 0) childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [root];
  for (let index = 0; index < found.length; index++) found.push(...(childrenOf.get(found[index] as number) ?? []));
  return found;
}

/** Sends the signal; false when the process was already gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Waits until the process is gone; false when it still lives at the deadline. */
export async function waitUntilGone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (await isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/**
 * Stops a server that a killed launcher left behind. A pid may have been given to somebody else meanwhile, so only a
 * process whose command line names `mark` (its data folder) is touched.
 */
export async function stopOrphan(
  pid: number,
  mark: string,
  signal: NodeJS.Signals,
  timeoutMs = 5_000,
): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 1 || !(await isAlive(pid))) return false;
  if (!(await commandLine(pid)).includes(mark)) return false;
  signalProcess(pid, signal);
  signalProcess(pid, 'SIGCONT');
  if (!(await waitUntilGone(pid, timeoutMs))) {
    signalProcess(pid, 'SIGKILL');
    await waitUntilGone(pid, timeoutMs);
  }
  return true;
}

/**
 * When the process started, in the kernel's ticks: together with the pid it names one process for good, because pids
 * are given out again. Empty where there is no /proc.
 */
export async function processStart(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** The parent of a process; undefined when it is gone or there is no /proc. */
export async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) || undefined;
}
