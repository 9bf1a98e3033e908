import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import type { Site } from '@boardwire/site';

/** Milliseconds of CPU by name, since each process began. Empty where there is no /proc. */
export type CpuTimes = Record<string, number>;

/** Linux counts in hundredths of a second. */
const tickMs = 10;

/** What every process of the site has used so far, and the load generator itself. */
export function cpuTimes({ services, postgres, nats }: Site): CpuTimes {
  const table = processTable();
  if (table.length === 0) return {};
  const own = (pid: number | undefined) => table.find((one) => one.pid === pid)?.cpuMs ?? 0;
  const family = (pid: number | undefined) =>
    own(pid) + table.filter(({ parent }) => parent === pid).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  return {
    ...Object.fromEntries(Object.values(services).map(({ name, pid }) => [name, own(pid)])),
    postgres: family(postgres.pid),
    nats: own(nats.pid),
    'load generator': own(process.pid),
  };
}

/** `gateway 61 µs, chat 40 µs …` an event, the largest first. */
export function cpuPerEvent(before: CpuTimes, after: CpuTimes, events: number): string {
  const shares = Object.entries(after)
    .map(([name, ms]) => ({ name, micros: ((ms - (before[name] ?? 0)) * 1_000) / Math.max(1, events) }))
    .filter(({ micros }) => micros >= 0.5)
    .toSorted((left, right) => right.micros - left.micros);
  return shares.map(({ name, micros }) => `${name} ${micros.toFixed(0)} µs`).join(', ');
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
