/** An event as somebody saw it. */
export interface Sighting {
  seq: number;
  id: string;
}

export interface Verdict {
  who: string;
  /** Accepted events that were seen at their place. */
  seen: number;
  missing: number;
  twice: number;
  /** Seen after an event of a higher seq, or at another seq than the site had answered. */
  misplaced: number;
}

export const isClean = ({ missing, twice, misplaced }: Verdict): boolean => missing + twice + misplaced === 0;

/**
 * Compares what somebody saw with what the site accepted (id to seq). Events of others on the board don't count, but
 * must be in order like the rest.
 */
export function judge(who: string, accepted: ReadonlyMap<string, { seq: number }>, seen: readonly Sighting[]): Verdict {
  const verdict: Verdict = { who, seen: 0, missing: 0, twice: 0, misplaced: 0 };
  const known = new Set<string>();
  let last = 0;
  for (const { id, seq } of seen) {
    const expected = accepted.get(id);
    if (expected !== undefined && known.has(id)) verdict.twice += 1;
    else if (seq <= last || (expected !== undefined && expected.seq !== seq)) verdict.misplaced += 1;
    else if (expected !== undefined) verdict.seen += 1;
    known.add(id);
    last = Math.max(last, seq);
  }
  for (const id of accepted.keys()) if (!known.has(id)) verdict.missing += 1;
  return verdict;
}
