import { classOf, intersectFilters, matchesFilter, type EventClass, type SubjectRule } from '@boardwire/contracts';

const rememberedMax = 4_096;

/** The class that a board's rules give to each subject: the first rule that matches holds, and `log` where none does. */
export class SubjectClasses {
  readonly #rules: readonly SubjectRule[];
  readonly #remembered = new Map<string, EventClass>();

  constructor(rules: readonly SubjectRule[]) {
    this.#rules = rules;
  }

  of(subject: string): EventClass {
    if (this.#rules.length === 0) return 'log';
    let known = this.#remembered.get(subject);
    if (known === undefined) {
      known = classOf(this.#rules, subject, matchesFilter);
      if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
      this.#remembered.set(subject, known);
    }
    return known;
  }

  /**
   * Whether some subject that matches the filter can be of class `log`. Never no where one can be; yes also where only
   * several rules together leave nothing over, which nobody is expected to write.
   */
  mayBeLog(filter: string): boolean {
    const before: string[] = [];
    for (const { pattern, class: ruled } of this.#rules) {
      const both = intersectFilters(filter, pattern);
      if (both === undefined) continue;
      if (ruled === 'log' && !before.some((earlier) => covers(earlier, both))) return true;
      if (both === filter) return false;
      before.push(pattern);
    }
    return true;
  }
}

/** Whether everything that the one filter matches is matched by the other. */
function covers(filter: string, narrower: string): boolean {
  return intersectFilters(filter, narrower) === narrower;
}
