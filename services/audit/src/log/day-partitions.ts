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

  async #create(day: string): Promise<void> {
    if (!/^\d{4}-\d\d-\d\d$/.test(day)) throw new RangeError(`${day} is not a day`);
    const name = `entry_${day.replaceAll('-', '_')}`;
    await this.database.transaction(async (transaction) => {
      // A reader that holds the parent for long must not hold up the log for ever: the attempt is repeated.
      await transaction.query("SET LOCAL lock_timeout = '3s'");
      await transaction.query(`CREATE TABLE IF NOT EXISTS ${name} PARTITION OF entry FOR VALUES IN ('${day}')`);
      // TRUNCATE triggers are the one kind that a partition doesn't inherit.
      await transaction.query(
        `CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON ${name}
         FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
      );
    });
  }
}
