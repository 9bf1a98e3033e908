import type { Database } from '@boardwire/database';

/** Makes the partition of a day when its first entry comes. */
export class DayPartitions {
  readonly #known = new Set<string>();

  constructor(private readonly database: Database) {}

  async ensure(days: readonly string[]): Promise<void> {
    const missing = new Set(days.filter((day) => !this.#known.has(day)));
    for (const day of missing) {
      // oxlint-disable-next-line no-await-in-loop -- each locks the parent
      await this.#create(day);
      this.#known.add(day);
    }
  }

  /** Some may have been dropped since. */
  forget(): void {
    this.#known.clear();
  }

  async #create(day: string): Promise<void> {
    await this.database.transaction(async (transaction) => {
      // A reader that holds the parent for long must not hold up the log for ever: the attempt is repeated.
      await transaction.query("SET LOCAL lock_timeout = '3s'");
      await transaction.query('SELECT ensure_day($1::date)', [day]);
    });
  }
}
