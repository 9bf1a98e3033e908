import { federationLimits } from '@boardwire/contracts';
import { isConnectionError, type Queryable } from '@boardwire/database';
import type { Loop } from '@boardwire/service-kit';

const pruneRowsMax = 10_000;
const pruneEveryMs = 60_000;

/** The nonces of the last quarter of an hour, for all replicas: longer than any signature can be taken. */
export class NonceStore {
  readonly #database: Queryable;

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** False when the site has used it before. One statement decides, so two replicas never both say true. */
  async remember(site: string, nonce: string): Promise<boolean> {
    const rows = await this.#database.query(
      'INSERT INTO hop_nonce (site, nonce) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1',
      [site, Buffer.from(nonce, 'hex')],
    );
    return rows.length === 1;
  }

  /** Forgets what is too old to be taken anyway; returns how many, at most a bounded number each time. */
  async prune(): Promise<number> {
    const rows = await this.#database.query(
      `DELETE FROM hop_nonce WHERE (site, nonce) IN (
         SELECT site, nonce FROM hop_nonce
         WHERE seen_at < clock_timestamp() - make_interval(secs => $1) ORDER BY seen_at LIMIT $2 FOR UPDATE SKIP LOCKED
       ) RETURNING 1`,
      [federationLimits.nonceKeptMs / 1_000, pruneRowsMax],
    );
    return rows.length;
  }

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one pass after the other
      const count = await this.prune().catch((error: unknown) => {
        if (isConnectionError(error)) return 0;
        throw error;
      });
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(count < pruneRowsMax ? pruneEveryMs : 0);
    }
  }
}
