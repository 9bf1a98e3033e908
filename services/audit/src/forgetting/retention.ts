import { isConnectionError, type Database, type Queryable } from '@boardwire/database';
import type { Logger, Loop } from '@boardwire/service-kit';
import { beating } from '../beating.ts';
import { asRetention } from '../database/as-retention.ts';
import { addOwnDecision } from '../decisions/own-decisions.ts';
import type { AuditMetrics } from '../metrics.ts';

export interface RetentionOptions {
  database: Database;
  /** What the service becomes to forget; undefined where it owns the tables itself. */
  role: string | undefined;
  /** Days that details, and whole records, are kept behind their own; undefined: for ever. */
  detailDays: number | undefined;
  recordDays: number | undefined;
  /** Nothing is forgotten while it is true. */
  isHeld: boolean;
  everyMs: number;
  isLeading: () => boolean;
  metrics: AuditMetrics;
  logger: Logger;
}

const portion = 5_000;

/**
 * Forgets what has outlived its retention, the details first and whole days of records later. Leaves, tiles and
 * checkpoints stay, so a proof that was given holds. Each step is a decision in the log itself.
 */
export class Retention {
  constructor(private readonly options: RetentionOptions) {}

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- a pass after the other
      await beating(loop, () => this.#pass(loop));
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(this.options.everyMs);
    }
  }

  async #pass(loop: Loop): Promise<void> {
    const { isHeld, isLeading, detailDays, recordDays, logger } = this.options;
    if (isHeld || !isLeading()) return;
    try {
      if (recordDays !== undefined) await this.#dropDays(recordDays, loop);
      if (detailDays !== undefined) await this.#expireDetails(detailDays, loop);
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      logger.warn({ event: 'retention.later', err: error });
    }
  }

  async #dropDays(days: number, loop: Loop): Promise<void> {
    const { database, metrics } = this.options;
    for (const day of await this.#daysBefore(days, 'true')) {
      // First in portions: the drop itself holds the whole table.
      // oxlint-disable-next-line no-await-in-loop -- a day after the other
      await this.#deleteDetails(day, loop);
      if (loop.signal.aborted) return;
      // oxlint-disable-next-line no-await-in-loop
      const entries = await database.transaction((transaction) => this.#dropDay(transaction, day));
      metrics.forgotten('records', entries);
    }
  }

  async #dropDay(transaction: Queryable, day: string): Promise<number> {
    await transaction.query("SET LOCAL lock_timeout = '3s'");
    const rows = await asRetention(transaction, this.options.role, () =>
      transaction.query<{ entries: number }>('SELECT drop_day($1::date)::int AS entries', [day]),
    );
    const { entries } = rows[0]!;
    await addOwnDecision(transaction, { action: 'audit.records_dropped', detail: { day, entries } });
    return entries;
  }

  async #expireDetails(days: number, loop: Loop): Promise<void> {
    for (const day of await this.#daysBefore(days, 'has_details')) {
      if (loop.signal.aborted) return;
      // oxlint-disable-next-line no-await-in-loop -- a day after the other
      await this.#expireDetailsOf(day, loop);
    }
  }

  async #expireDetailsOf(day: string, loop: Loop): Promise<void> {
    const entries = await this.#deleteDetails(day, loop);
    if (loop.signal.aborted) return;
    await this.options.database.transaction(async (transaction) => {
      await transaction.query('UPDATE day_count SET has_details = false WHERE day = $1::date', [day]);
      if (entries > 0) await addOwnDecision(transaction, { action: 'audit.detail_expired', detail: { day, entries } });
    });
  }

  async #deleteDetails(day: string, loop: Loop): Promise<number> {
    const { database, metrics } = this.options;
    let total = 0;
    for (let deleted = portion; deleted === portion && !loop.signal.aborted; total += deleted) {
      // oxlint-disable-next-line no-await-in-loop -- a portion after the other
      deleted = await database.transaction((transaction) => this.#deletePortion(transaction, day));
      metrics.forgotten('details', deleted);
    }
    return total;
  }

  async #deletePortion(transaction: Queryable, day: string): Promise<number> {
    const rows = await asRetention(transaction, this.options.role, () =>
      transaction.query(
        `DELETE FROM detail WHERE seq IN (
           SELECT d.seq FROM entry e JOIN detail d ON d.seq = e.seq WHERE e.day = $1::date LIMIT $2) RETURNING seq`,
        [day, portion],
      ),
    );
    return rows.length;
  }

  /** Days that ended so long ago, wherever on earth; oldest first. */
  async #daysBefore(days: number, condition: 'true' | 'has_details'): Promise<string[]> {
    const rows = await this.options.database.query<{ day: string }>(
      `SELECT day::text FROM day_count WHERE day < (now() AT TIME ZONE 'UTC')::date - 1 - $1::int AND ${condition}
       ORDER BY day`,
      [days],
    );
    return rows.map(({ day }) => day);
  }
}
