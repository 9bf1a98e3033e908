import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import type { Site } from '@boardwire/site';

/** Milliseconds of CPU since each process began. Empty where there is no /proc. */
export interface CpuTimes {
  byName: Record<string, number>;
  machineMs: number;
  atMs: number;
}

/** Linux counts in hundredths of a second. */
const tickMs = 10;

/** What every process of the site has used so far, and the load generator itself. */
export function cpuTimes({ services, postgres, nats }: Site): CpuTimes {
  const table = processTable();
  const own = (pid: number | undefined) => table.find((one) => one.pid === pid)?.cpuMs ?? 0;
  const family = (pid: number | undefined) =>
    own(pid) + table.filter(({ parent }) => parent === pid).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  const byName = {
    ...Object.fromEntries(Object.values(services).map(({ name, pid }) => [name, own(pid)])),
    postgres: family(postgres.pid),
    nats: own(nats.pid),
    'load generator': own(process.pid),
  };
  return { byName: table.length === 0 ? {} : byName, machineMs: machineBusyMs(), atMs: performance.now() };
}

/** `gateway 61 µs, chat 40 µs …` an event, the largest first. */
export function cpuPerEvent(before: CpuTimes, after: CpuTimes, events: number): string {
  const shares = usedMs(before, after)
    .map(({ name, ms }) => ({ name, micros: (ms * 1_000) / Math.max(1, events) }))
    .filter(({ micros }) => micros >= 0.5)
    .toSorted((left, right) => right.micros - left.micros);
  return shares.map(({ name, micros }) => `${name} ${micros.toFixed(0)} µs`).join(', ');
}

/** How much of the machine other programs had meanwhile, 0 to 1: what they use is missing in the number. */
export function othersShare(before: CpuTimes, after: CpuTimes): number {
  const all = (after.atMs - before.atMs) * availableParallelism();
  const ours = usedMs(before, after).reduce((sum, { ms }) => sum + ms, 0);
  return Math.min(1, Math.max(0, (after.machineMs - before.machineMs - ours) / all));
}

function usedMs(before: CpuTimes, after: CpuTimes): { name: string; ms: number }[] {
  return Object.entries(after.byName).map(([name, ms]) => ({ name, ms: ms - (before.byName[name] ?? 0) }));
}

/** Everything that ran on this machine; 0 where there is no /proc. */
function machineBusyMs(): number {
  try {
    const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = readFileSync('/proc/stat', 'utf8')
      .split('\n', 1)[0]!
      .replace(/^cpu +/, '')
      .split(' ')
      .map(Number);
    return (user + nice + system + irq + softIrq) * tickMs;
  } catch {
    return 0;
  }
}

interface Process {
  pid: number;
  parent: number;
  cpuMs: number;
}

function processTable(): Process[] {
  try {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.flatMap((pid) => readProcess(pid) ?? []);
  } catch {
    return [];
  }
}

function readProcess(pid: string): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in brackets and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { pid: Number(pid), parent: Number(fields[1]), cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs };
  } catch {
    return undefined;
  }
}
