import { percentile } from '../percentile.ts';

/** The middle value, or the mean of the two in the middle; NaN without values. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).toSorted();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Each round of one divided by the same round of the other: what the machine did to both falls out. */
export function ratios(left: readonly number[], right: readonly number[]): number[] {
  const rounds = Math.min(left.length, right.length);
  return Array.from({ length: rounds }, (_, round) => left[round]! / right[round]!);
}

/** `9.8–11.2`, the smallest and the largest. */
export function spread(values: readonly number[], digits = 1): string {
  return `${percentile(values, 0).toFixed(digits)}–${percentile(values, 1).toFixed(digits)}`;
}
