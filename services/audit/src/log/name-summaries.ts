import { isConnectionError, type Database } from '@boardwire/database';
import type { Logger, Loop } from '@boardwire/service-kit';
import { beating } from '../beating.ts';

export interface NameSummariesOptions {
  database: Database;
  isLeading: () => boolean;
  logger: Logger;
}

const everyMs = 5_000;

/** Keeps rare names quick to find while the log grows: days that have grown get their filters brought up to date. */
export class NameSummaries {
  readonly #options: NameSummariesOptions;
  /** By day, how many entries its filters cover at least. */
  readonly #covered = new Map<string, number>();

  constructor(options: NameSummariesOptions) {
    this.#options = options;
  }

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- a look after the other
      await beating(loop, () => this.look(loop.signal));
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(everyMs);
    }
  }

  async look(signal?: AbortSignal): Promise<void> {
    const { database, isLeading, logger } = this.#options;
    if (!isLeading()) return;
    try {
      const days = await database.query<{ day: string; entries: number }>(
        'SELECT day::text, entries FROM day_count ORDER BY day DESC',
      );
      for (const { day, entries } of days) {
        if (signal?.aborted === true) return;
        if (this.#covered.get(day) === entries) continue;
        // oxlint-disable-next-line no-await-in-loop -- a day after the other
        await database.query('SELECT summarize_names($1::date)', [day]);
        this.#covered.set(day, entries);
      }
    } catch (error) {
      // Somebody holds the table, or the database is away: the next look does it.
      if (!isConnectionError(error)) throw error;
      logger.debug({ event: 'audit.names_later', err: error });
    }
  }
}
