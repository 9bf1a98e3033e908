import { readFileSync } from 'node:fs';
import { UsageError } from '../options.ts';

/** Linux counts in hundredths of a second. */
const tickMs = 10;

/** Milliseconds of CPU, user and system, that a process with all its threads has used since it began. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name stands in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** Resident memory in KiB. */
export function residentKb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1] ?? Number.NaN);
}

/** Beside connections a server has its files, its bus and its own clients. */
const sparedFiles = 100;

/** Node raises its own limit as far as it may go. @throws UsageError when so many connections can't be open in one process. */
export function assertMayOpen(connections: number): void {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const most = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  if (connections + sparedFiles <= most) return;
  throw new UsageError(
    `${connections} connections on one process, but at most ${most} files may be open. ` +
      'Raise the hard limit (ulimit -Hn), or ask for fewer with --connections.',
  );
}
