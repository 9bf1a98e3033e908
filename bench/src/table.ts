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

function line({ what, value, unit, ask, isMet, note, change }: BenchRow, width: number): string {
  const shown = value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });
  const asked = ask === undefined ? '' : `  ${isMet ? '✔' : '✘'} ${ask}`;
  const changed = change === undefined ? '' : `  Δ ${change < 0 ? '−' : '+'}${Math.abs(change * 100).toFixed(0)} %`;
  return `  ${what.padEnd(width)}  ${shown.padStart(9)} ${unit.padEnd(9)}${asked}${changed}${note === undefined ? '' : `  (${note})`}`;
}
