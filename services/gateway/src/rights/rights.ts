import {
  intersectFilterSets,
  matchesFilter,
  mayPublish,
  type Membership,
  type SyncResponse,
} from '@boardwire/contracts';
import type { Access } from './access.ts';
import { ChangedRights } from './changed-rights.ts';
import type { IgnoredAuthors } from './ignored-authors.ts';
import { Ignores } from './ignores.ts';
import { Memberships } from './memberships.ts';

/** What is left of wanted filters after rights, apart for open subjects and for those of members. */
export interface Reach {
  filters: string[];
  memberFilters: string[];
}

/** Whose rights, or ignores, are not what they were. */
export interface RightsChange {
  memberships: readonly Membership[];
  userIds: readonly string[];
}

/**
 * What bearers may do at this moment: what their tokens grant, what has changed for their accounts since, and their
 * memberships. A membership is all that a `members` subject takes, for reading and for writing; a grant never covers one.
 */
export class Rights {
  readonly #changed = new ChangedRights();
  readonly #memberships = new Memberships();
  readonly #ignores = new Ignores();
  readonly #listeners = new Set<(change: RightsChange) => void>();

  onChanged(listener: (change: RightsChange) => void): void {
    this.#listeners.add(listener);
  }

  /** Whether all memberships are known. */
  get isComplete(): boolean {
    return this.#memberships.isComplete;
  }

  learn(changes: SyncResponse): void {
    const userIds = [...this.#changed.learn(changes.changedRights ?? []), ...this.#ignores.learn(changes)];
    const memberships = this.#memberships.learn(changes);
    if (userIds.length === 0 && memberships.length === 0) return;
    for (const listener of this.#listeners) listener({ memberships, userIds });
  }

  /** What takes the place of an access when its account's roles changed after it was given. */
  current(access: Access): Access {
    return this.#changed.current(access);
  }

  readable(access: Access, board: string, wanted: readonly string[]): Reach {
    const { grants } = this.current(access);
    const granted = grants
      .filter((grant) => grant.board === '*' || grant.board === board)
      .flatMap((grant) => grant.subscribe);
    return {
      filters: intersectFilterSets(wanted, granted),
      memberFilters: intersectFilterSets(wanted, this.#memberships.of(board, access.userId)),
    };
  }

  /** Whose events are kept from someone, by their own wish; undefined when nobody's are. */
  ignoredBy({ userId }: Access): IgnoredAuthors | undefined {
    return this.#ignores.of(userId);
  }

  /** Whether anything of a board may be seen. */
  maySee(access: Access, board: string): boolean {
    const { filters, memberFilters } = this.readable(access, board, ['>']);
    return filters.length > 0 || memberFilters.length > 0;
  }

  /** @param isOpen whether the subject is open under the rules of its board */
  mayWrite(access: Access, board: string, subject: string, isOpen: boolean): boolean {
    if (isOpen) return mayPublish(this.current(access).grants, board, subject);
    return this.#memberships.of(board, access.userId).some((filter) => matchesFilter(filter, subject));
  }
}
