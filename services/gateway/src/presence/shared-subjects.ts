import { intersectFilters, type SubjectRule } from '@boardwire/contracts';

/**
 * Whether two readers may get an event of the same subject. Their filters are what rights left of what they asked for,
 * so a `members` subject counts only where both sides name it: no wildcard reaches it, and being seen in a private room
 * would tell that it exists and who is in it.
 */
export function shareSubject(
  left: readonly string[],
  right: readonly string[],
  rules: readonly SubjectRule[] = [],
): boolean {
  return left.some((one) =>
    right.some((other) => {
      const both = intersectFilters(one, other);
      return both !== undefined && (one === other && !isWildcard(one) ? true : isOpenSomewhere(both, rules));
    }),
  );
}

/** Whether any subject that a filter matches is open to those who have no membership. The first rule that fits decides. */
function isOpenSomewhere(filter: string, rules: readonly SubjectRule[]): boolean {
  for (const { pattern, access } of rules) {
    const both = intersectFilters(pattern, filter);
    if (both === undefined) continue;
    if (access !== 'members') return true;
    if (both === filter) return false;
  }
  return true;
}

function isWildcard(filter: string): boolean {
  return filter.includes('*') || filter.includes('>');
}
