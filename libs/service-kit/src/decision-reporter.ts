import { decisionReceiptSchema, type Decision } from '@boardwire/contracts';
import { randomBytes } from 'node:crypto';
import type { InternalClient } from './internal-client.ts';
import type { Logger } from './logger.ts';
import type { Loop } from './supervisor.ts';

export interface DecisionReporterOptions {
  /** The service that decides. */
  service: string;
  audit: InternalClient;
  /** So many could not be told. */
  onLost: (count: number) => void;
  logger: Logger;
}

export type ReportedDecision = Pick<Decision, 'action' | 'outcome' | 'actor'>;

interface Tally extends ReportedDecision {
  count: number;
  since: number;
}

const everyMs = 1_000;
const batchMax = 512;
const waitingMax = 5_000;
/** Different decisions told apart within one period; what is beyond is counted as lost. */
const talliesMax = 2_000;

/**
 * Tells audit what a service refused. Equal decisions of a period are one entry with a count, so that an attacker
 * with bad tokens can't fill the log. Bounded: with audit down it keeps the newest so many and counts the rest.
 * The numbers are dense for this life of the service, which is in the name of the stream.
 */
export class DecisionReporter {
  readonly #options: DecisionReporterOptions;
  readonly #stream: string;
  readonly #tallies = new Map<string, Tally>();
  #waiting: Decision[] = [];
  #lost = 0;
  #next = 1;
  #isFailing = false;

  constructor(options: DecisionReporterOptions) {
    this.#options = options;
    this.#stream = `${options.service}-${randomBytes(6).toString('hex')}`;
  }

  get waiting(): number {
    return this.#waiting.length + this.#tallies.size;
  }

  report(decision: ReportedDecision): void {
    const key = JSON.stringify([decision.action, decision.outcome, decision.actor]);
    const tally = this.#tallies.get(key);
    if (tally !== undefined) tally.count += 1;
    else if (this.#tallies.size < talliesMax) this.#tallies.set(key, { ...decision, count: 1, since: Date.now() });
    else this.#lose(1);
  }

  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- once a period
      await loop.idle(everyMs);
      loop.beat();
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(everyMs, this.flush());
    }
  }

  /** Sends what waits. Never rejects: what could not be sent waits for the next time. */
  async flush(): Promise<void> {
    this.#collect();
    const batch = this.#waiting.slice(0, batchMax);
    if (batch.length === 0) return;
    try {
      const { received } = await this.#options.audit.request({
        method: 'POST',
        path: '/internal/v1/decisions',
        route: '/internal/v1/decisions',
        body: { service: this.#stream, decisions: batch },
        schema: decisionReceiptSchema,
        timeoutMs: 2_000,
      });
      this.#waiting = this.#waiting.filter(({ number }) => number > received);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#options.logger.warn({ event: 'decisions.not_sent', err: error });
      this.#isFailing = true;
    }
  }

  #collect(): void {
    for (const { count, since, ...decision } of this.#tallies.values()) {
      if (this.#waiting.length >= waitingMax) this.#lose(count);
      else this.#waiting.push(this.#numbered(decision, since, { count }));
    }
    this.#tallies.clear();
    if (this.#lost === 0 || this.#waiting.length >= waitingMax) return;
    const lost = { action: 'decisions.lost', outcome: 'failed', actor: this.#options.service } as const;
    this.#waiting.push(this.#numbered(lost, Date.now(), { count: this.#lost }));
    this.#lost = 0;
  }

  #numbered(decision: ReportedDecision, at: number, detail: { count: number }): Decision {
    const number = this.#next;
    this.#next += 1;
    return { number, ...decision, at: new Date(at).toISOString(), detail };
  }

  #lose(count: number): void {
    this.#lost += count;
    this.#options.onLost(count);
  }
}
