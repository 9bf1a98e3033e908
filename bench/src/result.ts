import { arch, availableParallelism, cpus, release } from 'node:os';
import process from 'node:process';

export interface BenchRow {
  what: string;
  value: number;
  unit: string;
  /** What is asked for, in words. */
  ask?: string;
  isMet?: boolean;
  note?: string;
  /** Against the base, 0.1 for ten percent more. */
  change?: number;
}

export interface BenchResult {
  bench: string;
  at: string;
  machine: { cpu: string; cores: number; os: string; node: string };
  options: Record<string, number | string>;
  rows: BenchRow[];
  /** What to know before believing a number. */
  notes: string[];
}

/** Asked before the bench is pinned, and then sees only its own share. */
const cores = availableParallelism();

export function benchResult(
  bench: string,
  options: Record<string, number | string>,
  rows: BenchRow[],
  notes: string[],
): BenchResult {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores,
    os: `${process.platform} ${release()} ${arch()}`,
    node: process.version,
  };
  return { bench, at: new Date().toISOString(), machine, options, rows, notes };
}

export function atLeast(what: string, value: number, unit: string, ask: number, note?: string): BenchRow {
  const row = { what, value, unit, ask: `≥ ${ask.toLocaleString('en-US')}`, isMet: value >= ask };
  return note === undefined ? row : { ...row, note };
}

export function atMost(what: string, value: number, unit: string, ask: number, note?: string): BenchRow {
  const row = { what, value, unit, ask: `≤ ${ask.toLocaleString('en-US')}`, isMet: value <= ask };
  return note === undefined ? row : { ...row, note };
}
