import type { Ignores } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { ChangeClock } from '../boards/change-clock.ts';
import { bounds } from '../bounds.ts';
import type { ControlBook, ControlRow } from '../control/control-feed.ts';
import { ToldRows } from '../control/told-rows.ts';
import type { IgnoreStore } from './ignore-store.ts';

/** Whom everybody ignores, in memory for `/sync`. */
export class IgnoreBook implements ControlBook {
  readonly kind = 'ignores_changed';
  readonly told: ToldRows<Ignores, Ignores>;

  constructor(
    private readonly database: Database,
    private readonly store: IgnoreStore,
    clock: ChangeClock,
  ) {
    this.told = new ToldRows({
      clock,
      pageMax: bounds.ignorePageAuthors,
      keyOf: ({ userId }) => userId,
      tell: (row) => row,
      weigh: ({ authors }) => authors.length,
    });
  }

  /** Before the first answer. */
  async load(): Promise<void> {
    for (const row of await this.store.all(this.database)) this.told.put(row);
  }

  async take(rows: readonly ControlRow[]): Promise<void> {
    const userIds = [...new Set(rows.flatMap(({ userId }) => (userId === null ? [] : [userId])))];
    const found = new Map((await this.store.some(this.database, userIds)).map((row) => [row.userId, row]));
    for (const userId of userIds) this.told.change(found.get(userId) ?? { userId, authors: [] });
  }

  async reload(): Promise<void> {
    const found = await this.store.all(this.database);
    this.told.replace(found, ({ userId }) => ({ userId, authors: [] }));
  }
}
