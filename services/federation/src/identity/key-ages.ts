import { isConnectionError, type Queryable } from '@boardwire/database';
import type { Loop } from '@boardwire/service-kit';
import type { FederationMetrics } from '../metrics.ts';

const everyMs = 60_000;

/** How old the site's keys in force are. The database is asked, because another replica may have replaced one. */
export class KeyAges {
  readonly #database: Queryable;
  #madeAtMs: ReadonlyMap<string, number> = new Map();

  constructor(database: Queryable, metrics: FederationMetrics) {
    this.#database = database;
    metrics.watchKeys(() => this.#madeAtMs);
  }

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await this.look().catch((error: unknown) => {
        if (!isConnectionError(error)) throw error;
      });
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(everyMs);
    }
  }

  async look(): Promise<void> {
    const rows = await this.#database.query<{ use: string; madeAtMs: number }>(
      `SELECT use, (extract(epoch FROM created_at) * 1000)::float8 AS "madeAtMs"
       FROM site_key WHERE retired_at IS NULL`,
    );
    this.#madeAtMs = new Map(rows.map(({ use, madeAtMs }) => [use, madeAtMs]));
  }
}
