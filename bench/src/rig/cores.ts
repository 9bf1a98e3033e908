import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';

/** Who runs where: the server under test alone on one core, everything else on the others. */
export interface Cores {
  server: string;
  load: string;
}

/** Undefined where processes can't be pinned, or there is one core only. */
export function chooseCores(): Cores | undefined {
  const allowed = readCpuList(allowedCores());
  const server = allowed.pop();
  return server === undefined || allowed.length === 0 ? undefined : { server: String(server), load: allowed.join(',') };
}

/** The cores that this process may use now, as `taskset` takes them. */
export function allowedCores(): string | undefined {
  if (spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status !== 0) return undefined;
  return /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
}

/** `0-2,5` as numbers. */
export function readCpuList(text = ''): number[] {
  if (text === '') return [];
  return text.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number);
    if (from === undefined || to === undefined || !Number.isInteger(from)) return [];
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

/** The command as it is run on a core. `taskset` becomes the program, so the pid is the program's. */
export function pinned(core: string | undefined, command: string, args: readonly string[]): [string, string[]] {
  return core === undefined ? [command, [...args]] : ['taskset', ['-c', core, command, ...args]];
}

/** Moves a process that runs already, with all its threads. */
export function pin(core: string | undefined, pid: number | undefined = process.pid): void {
  if (core === undefined || pid === undefined) return;
  execFileSync('taskset', ['-a', '-c', '-p', core, String(pid)], { stdio: 'ignore' });
}
