import type { SubjectRule } from '@boardwire/contracts';
import type { FilterSet } from './filter-set.ts';
import type { SubjectAccess } from './subject-access.ts';

/**
 * Which subjects a set reaches under its board's rules, as filters whose first token tells open subjects from those of
 * members: two readers share a subject when these intersect, and no wildcard meets a subject that it doesn't reach.
 */
export function reachOf(access: SubjectAccess, { filters, memberFilters }: FilterSet): string[] {
  const open = filters.filter((filter) => access.mayReachOpen(filter)).map((filter) => `open.${filter}`);
  return [...open, ...memberFilters.map((filter) => `members.${filter}`)];
}

/** Whatever filters match, for those who may see all of it. */
export function wholeReach(filters: readonly string[]): string[] {
  return filters.flatMap((filter) => [`open.${filter}`, `members.${filter}`]);
}

/** How a subject stands in what {@link reachOf} answers. */
export function reachedAs(subject: string, isOpen: boolean): string {
  return `${isOpen ? 'open' : 'members'}.${subject}`;
}

const known = new WeakMap<readonly SubjectRule[], readonly SubjectRule[]>();

/** A board's rules for what {@link reachOf} answers: two open filters may share nothing but subjects of members. */
export function reachRules(rules: readonly SubjectRule[]): readonly SubjectRule[] {
  let turned = known.get(rules);
  if (turned === undefined) {
    known.set(rules, (turned = rules.map((rule) => ({ ...rule, pattern: `open.${rule.pattern}` }))));
  }
  return turned;
}
