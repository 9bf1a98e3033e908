import { matchesFilter, type SubjectRule } from '@boardwire/contracts';

const rememberedMax = 4_096;

/**
 * Which subjects of a board are open. A token's grant never covers a `members` subject, whatever its wildcards say:
 * those need a membership, which this gateway does not know of yet, so nobody gets them here.
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
      known = this.#rules.find((rule) => matchesFilter(rule.pattern, subject))?.access !== 'members';
      if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
      this.#remembered.set(subject, known);
    }
    return known;
  }
}
