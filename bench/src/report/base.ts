import type { BenchResult, BenchRow } from '../result.ts';

/** The result with each row's change against a former one: the same bench, the same words. */
export function compared(result: BenchResult, base: BenchResult | undefined): BenchResult {
  if (base === undefined) return result;
  const before = new Map(base.rows.map((row) => [`${row.what} ${row.unit}`, row.value]));
  const rows = result.rows.map((row) => withChange(row, before.get(`${row.what} ${row.unit}`)));
  return { ...result, rows, notes: [...result.notes, `Δ against ${base.at.slice(0, 10)}, ${base.machine.cpu}.`] };
}

function withChange(row: BenchRow, before: number | undefined): BenchRow {
  if (before === undefined || before === 0 || !Number.isFinite(before)) return row;
  return { ...row, change: row.value / before - 1 };
}
