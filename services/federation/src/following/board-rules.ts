import type { SubjectRule, SyncBoard } from '@boardwire/contracts';

/** The subject rules of every board, as chat last told them: what only members reach stays on this site. */
export class BoardRules {
  readonly #rules = new Map<string, readonly SubjectRule[]>();

  apply(boards: readonly SyncBoard[]): void {
    for (const { slug, rules } of boards) this.#rules.set(slug, rules);
  }

  /** Throws before chat has told them: what comes then comes again. */
  readonly of = (board: string): readonly SubjectRule[] => {
    const rules = this.#rules.get(board);
    if (rules === undefined) throw new Error(`the rules of ${board} are not known yet`);
    return rules;
  };
}
