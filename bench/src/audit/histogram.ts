/** A histogram of Prometheus' text format: how many values are at most so large. */
export interface Histogram {
  bounds: number[];
  /** For each bound, cumulative. */
  counts: number[];
}

/** What came into a histogram without labels between two scrapes. */
export function between(before: string, after: string, name: string): Histogram {
  const [old, now] = [read(before, name), read(after, name)];
  return { bounds: now.bounds, counts: now.counts.map((count, at) => count - (old.counts[at] ?? 0)) };
}

/** Between two bounds values are taken as evenly spread; beyond the last finite one it is infinite. */
export function quantile({ bounds, counts }: Histogram, share: number): number {
  const rank = share * (counts.at(-1) ?? 0);
  const at = counts.findIndex((count) => count >= rank && count > 0);
  if (at < 0) return Number.NaN;
  const [low, below] = at === 0 ? [0, 0] : [bounds[at - 1]!, counts[at - 1]!];
  const inside = counts[at]! - below;
  return low + (bounds[at]! - low) * (inside === 0 ? 1 : (rank - below) / inside);
}

function read(text: string, name: string): Histogram {
  const lines = [...text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\S+)$`, 'gm'))];
  return {
    bounds: lines.map(([, bound]) => (bound === '+Inf' ? Infinity : Number(bound))),
    counts: lines.map(([, , count]) => Number(count)),
  };
}
