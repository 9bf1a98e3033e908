import type { BenchResult, BenchRow } from './result.ts';

/** The result for people. */
export function table({ bench, machine, rows, notes }: BenchResult): string {
  const width = Math.max(...rows.map(({ what }) => what.length));
  return [
    '',
    `${bench} on ${machine.cores} × ${machine.cpu}, Node ${machine.node}`,
    '',
    ...rows.map((row) => line(row, width)),
    '',
    ...notes.map((note) => `  ${note}`),
    '',
    '',
  ].join('\n');
}

function line({ what, value, unit, ask, isMet, note }: BenchRow, width: number): string {
  const shown = value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 });
  const asked = ask === undefined ? '' : `  ${isMet ? '✔' : '✘'} ${ask}`;
  return `  ${what.padEnd(width)}  ${shown.padStart(9)} ${unit.padEnd(9)}${asked}${note === undefined ? '' : `  (${note})`}`;
}
