import { accessRuleOf, intersectFilters, matchesFilter, type SubjectRule } from '@boardwire/contracts';

const rememberedMax = 4_096;

/**
 * Which subjects of a board are open. A token's grant never covers a `members` subject, whatever its wildcards say:
 * those need a membership.
 */
export class SubjectAccess {
  readonly #rules: readonly SubjectRule[];
  readonly #remembered = new Map<string, boolean>();

  constructor(rules: readonly SubjectRule[]) {
    this.#rules = rules;
  }

  isOpen(subject: string): boolean {
    if (this.#rules.length === 0) return true;
    let known = this.#remembered.get(subject);
    if (known === undefined) {
      known = accessRuleOf(this.#rules, subject, matchesFilter) === 'open';
      if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
      this.#remembered.set(subject, known);
    }
    return known;
  }

  /** False when every subject that the filter matches is of members alone. */
  mayReachOpen(filter: string): boolean {
    for (const { pattern, access } of this.#rules) {
      const both = intersectFilters(pattern, filter);
      if (both === undefined) continue;
      if (access === 'open') return true;
      if (both === filter) return false;
    }
    return true;
  }
}
