import type { NewestCheckpoint } from '@boardwire/contracts';
import { AdvisoryLock, isConnectionError, type Database } from '@boardwire/database';
import { AppError, type Logger, type Loop } from '@boardwire/service-kit';
import type { HopClient } from '../hop/hop-client.ts';
import { PeerEndpoints } from '../links/peer-endpoints.ts';
import type { AskerOutcome, FederationMetrics } from '../metrics.ts';
import { askWitness } from './ask-witness.ts';
import type { OwnLog } from './own-log.ts';
import { witnessSites, type WitnessSite } from './witnesses.ts';

export interface CheckpointCourierOptions {
  database: Database;
  client: HopClient;
  log: OwnLog;
  metrics: FederationMetrics;
  logger: Logger;
}

/** What is remembered of a witness. After a restart it says itself how far it has seen the log. */
interface Standing {
  key: string;
  size: number;
  cosignedAt: number;
  failures: number;
  untilMs: number;
}

const everyMs = 2_000;
const beatEveryMs = 250;
/** Each brings a row for each witness: with more of them each is asked less often. */
const restMs = { min: 10_000, perWitness: 1_000 };
/** A log that rests is cosigned again after so long: that shows that the witness is still there. */
const againMs = 20 * 60_000;
const waitMs = { min: 2_000, max: 600_000 };

/**
 * Brings this site's newest checkpoint to every peer that can be dialled, one replica at a time, and its cosignature to
 * audit. A peer that fails is asked again later and holds up no other.
 */
export class CheckpointCourier {
  readonly #options: CheckpointCourierOptions;
  readonly #endpoints: PeerEndpoints;
  readonly #standings = new Map<string, Standing>();
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(options: CheckpointCourierOptions) {
    this.#options = options;
    this.#endpoints = new PeerEndpoints(options.database);
  }

  /** A supervised loop. */
  run(loop: Loop): Promise<void> {
    const body = (signal: AbortSignal) => this.#lead(loop, signal);
    return AdvisoryLock.lead(this.#options.database, 'witnesses', loop.signal, body, () => loop.beat());
  }

  async #lead(loop: Loop, signal: AbortSignal): Promise<void> {
    const beater = setInterval(() => loop.beat(), beatEveryMs);
    try {
      while (!signal.aborted) {
        // oxlint-disable-next-line no-await-in-loop -- one pass after the other
        await this.#pass(signal).catch((error: unknown) => {
          // Audit is away, or has signed nothing yet.
          if (!isConnectionError(error) && !(error instanceof AppError)) throw error;
        });
        // oxlint-disable-next-line no-await-in-loop
        await loop.idle(everyMs);
      }
    } finally {
      await Promise.all(this.#underWay.values());
      clearInterval(beater);
    }
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { database, log } = this.#options;
    const ready = (await witnessSites(database)).filter(({ site }) => this.#isReady(site));
    if (ready.length === 0) return;
    await this.#endpoints.refresh();
    const asked = ready.filter(({ site }) => this.#endpoints.of(site).length > 0);
    if (asked.length === 0) return;
    const newest = await log.newest(signal);
    const rest = Math.max(restMs.min, asked.length * restMs.perWitness);
    for (const witness of asked.filter(({ site }) => this.#isDue(site, newest))) {
      const brought = this.#bring(witness, newest, { rest, signal });
      this.#underWay.set(
        witness.site,
        brought.finally(() => this.#underWay.delete(witness.site)),
      );
    }
  }

  #isReady(site: string): boolean {
    return !this.#underWay.has(site) && (this.#standings.get(site)?.untilMs ?? 0) <= Date.now();
  }

  #isDue(site: string, { key, size }: NewestCheckpoint): boolean {
    const known = this.#standings.get(site);
    return known?.key !== key || size > known.size || Date.now() - known.cosignedAt > againMs;
  }

  async #bring(
    witness: WitnessSite,
    newest: NewestCheckpoint,
    { rest, signal }: { rest: number; signal: AbortSignal },
  ) {
    const { client, log, metrics, logger } = this.#options;
    const { site } = witness;
    const known = this.#standings.get(site);
    const ask = { witness, endpoints: this.#endpoints.of(site), newest, old: seenOf(known, newest) };
    const { outcome, size, why } = await askWitness({ client, log, logger }, ask, signal);
    if (signal.aborted) return;
    metrics.witnessed('asker', outcome);
    const failures = outcome === 'cosigned' ? 0 : (known?.failures ?? 0) + 1;
    const pause = failures === 0 ? rest : Math.min(waitMs.max, waitMs.min * 2 ** (failures - 1));
    const cosignedAt = failures === 0 ? Date.now() : 0;
    this.#standings.set(site, { key: newest.key, size, cosignedAt, failures, untilMs: Date.now() + pause });
    this.#tell(outcome, { site, size: newest.size, seen: size, failures, why });
  }

  /** What an operator has to know: somebody has another past of this log. */
  #tell(outcome: AskerOutcome, facts: { failures: number; [name: string]: unknown }): void {
    const { logger } = this.#options;
    if (outcome === 'forked' || outcome === 'ahead') logger.error({ event: `witness.says_${outcome}`, ...facts });
    else if (outcome === 'failed' && facts.failures === 1) logger.info({ event: 'witness.not_asked', ...facts });
  }
}

/** What it has seen of this log, as far as a proof can begin there. */
function seenOf(known: Standing | undefined, { key, size }: NewestCheckpoint): number {
  return known?.key === key && known.size <= size ? known.size : 0;
}
