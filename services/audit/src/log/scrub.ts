import { isConnectionError, type Database } from '@boardwire/database';
import type { Logger, Loop } from '@boardwire/service-kit';
import { beating } from '../beating.ts';
import type { AuditMetrics } from '../metrics.ts';
import { logSpans } from '../reading/log-spans.ts';
import type { CheckpointKey } from './checkpoint-key.ts';
import type { LogWitness } from './log-witness.ts';
import type { SignedTree } from './signed-tree.ts';
import { SpanScrub, type Finding } from './span-scrub.ts';

export interface ScrubOptions {
  database: Database;
  key: CheckpointKey;
  witness?: LogWitness | undefined;
  metrics: AuditMetrics;
  logger: Logger;
  isLeading: () => boolean;
  /** Between two rounds. */
  everyMs: number;
}

/** Between two pages, so that a round takes about a third of what it could. */
const restMs = 25;
const findingsMax = 100;

/**
 * Goes through the whole log again and again, at a pace that nobody feels: every record against its leaf, every leaf
 * against tiles, checkpoints and the witness. Who changes one of them without the others is found here; who changes all
 * of them alike and signs anew, by the witness or by a checkpoint that somebody else holds.
 */
export class Scrub {
  readonly #options: ScrubOptions;
  #findings: Finding[] = [];
  #rounds = 0;

  constructor(options: ScrubOptions) {
    this.#options = options;
  }

  /** What the last complete round has found. */
  get findings(): readonly Finding[] {
    return this.#findings;
  }

  get rounds(): number {
    return this.#rounds;
  }

  /** A supervised loop; the first round begins at once. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      const isLeading = this.#options.isLeading();
      // oxlint-disable-next-line no-await-in-loop -- a round after the other
      if (isLeading) await beating(loop, () => this.#roundOrLater(loop));
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(isLeading ? this.#options.everyMs : 1_000);
    }
  }

  /** One pass over every epoch. `rest` is called between pages; it ends the pass by answering false. */
  async round(rest: () => Promise<boolean> = () => Promise.resolve(true)): Promise<readonly Finding[]> {
    const { database, key, metrics, logger } = this.#options;
    const witnessed = await this.#witnessed();
    const findings: Finding[] = [];
    const note = (finding: Finding) => {
      if (findings.length >= findingsMax) return;
      findings.push(finding);
      logger.error({ event: 'audit.damage_found', ...finding });
    };
    for (const span of await logSpans(database)) {
      const scrub = new SpanScrub({ database, key, span, witnessed, note });
      for (let isMore = true; isMore;) {
        // oxlint-disable-next-line no-await-in-loop -- a page after the other
        isMore = await scrub.page();
        metrics.scrubbedTo(span.firstSeq + scrub.position);
        // oxlint-disable-next-line no-await-in-loop
        if (!(await rest())) return this.#findings;
      }
    }
    this.#rounds += 1;
    this.#findings = findings;
    metrics.scrubRound(findings.length);
    return findings;
  }

  async #roundOrLater(loop: Loop): Promise<void> {
    const rest = async () => {
      await loop.idle(restMs);
      return !loop.signal.aborted;
    };
    try {
      await this.round(rest);
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      this.#options.logger.warn({ event: 'scrub.later', err: error });
    }
  }

  async #witnessed(): Promise<SignedTree | undefined> {
    return this.#options.witness?.read().catch(() => undefined);
  }
}
