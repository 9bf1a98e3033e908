import type { AuditHealth } from '@boardwire/contracts';
import { isConnectionError, type Database } from '@boardwire/database';
import type { Loop } from '@boardwire/service-kit';
import type { AuditMetrics } from '../metrics.ts';

interface Row {
  name: string;
  key: string;
  epoch: string;
  size: number;
  signedMs: number;
  atMs: number;
}

const everyMs = 5_000;

/** Who has cosigned checkpoints of this log, for readers and for the scrape. */
export class KnownWitnesses {
  constructor(
    private readonly database: Database,
    private readonly metrics: AuditMetrics,
  ) {}

  /** Who was heard last comes first. */
  async all(): Promise<AuditHealth['witnesses']> {
    const rows = await this.#rows();
    return rows.map(({ signedMs, atMs, ...row }) => ({
      ...row,
      at: new Date(signedMs).toISOString(),
      ageMs: Math.max(0, Math.round(Date.now() - atMs)),
    }));
  }

  /** A supervised loop: a cosignature may have come to another replica. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- every few seconds
      await this.#look().catch((error: unknown) => {
        if (!isConnectionError(error)) throw error;
      });
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(everyMs);
    }
  }

  async #look(): Promise<void> {
    this.metrics.witnessesKnown((await this.#rows()).map(({ atMs }) => atMs));
  }

  #rows(): Promise<Row[]> {
    return this.database.query<Row>(witnesses);
  }
}

const witnesses = `
  SELECT name, key, epoch, witness.size, (extract(epoch FROM signed_at) * 1000)::float8 AS "signedMs",
    (extract(epoch FROM at) * 1000)::float8 AS "atMs"
  FROM witness JOIN (SELECT era, epoch FROM tree UNION ALL SELECT era, epoch FROM former_epoch) AS e USING (era)
  ORDER BY at DESC, name`;
