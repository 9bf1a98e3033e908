import type { ChangedRights, Role } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { BoardWatch } from '../boards/board-watch.ts';
import type { ChangeClock } from '../boards/change-clock.ts';
import type { ControlBook, ControlRow } from '../control/control-feed.ts';
import type { AccountStore } from './account-store.ts';
import { grantsOf } from './rights.ts';

interface Changed {
  userId: string;
  atMs: number;
  roles: Role[];
  changedAt: number;
}

/** Accounts whose roles changed a moment ago: what they may do now takes the place of what their older tokens say. */
export class ChangedAccounts implements ControlBook {
  readonly kind = 'rights_changed';
  readonly #known = new Map<string, Changed>();

  constructor(
    private readonly database: Database,
    private readonly accounts: AccountStore,
    private readonly clock: ChangeClock,
    private readonly boards: BoardWatch,
  ) {}

  since(moment: number): ChangedRights[] {
    const slugs = this.boards.all().map(({ slug }) => slug);
    return [...this.#known.values()]
      .filter(({ changedAt }) => changedAt > moment)
      .map(({ userId, atMs, roles }) => {
        return { userId, at: new Date(atMs).toISOString(), roles, boards: grantsOf(roles, slugs) };
      });
  }

  async take(rows: readonly ControlRow[]): Promise<void> {
    const lastAt = new Map(rows.flatMap(({ accountId, at }) => (accountId === null ? [] : [[accountId, at] as const])));
    for (const { id, roles, isDisabled } of await this.accounts.byIds(this.database, [...lastAt.keys()])) {
      const changedAt = this.clock.tick();
      this.#known.set(id, { userId: id, atMs: lastAt.get(id)!.getTime(), roles: isDisabled ? [] : roles, changedAt });
    }
  }

  prune(oldestMs: number): void {
    for (const [userId, { atMs }] of this.#known) if (atMs < oldestMs) this.#known.delete(userId);
  }
}
