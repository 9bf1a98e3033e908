import { decisionReceiptSchema, type Decision } from '@boardwire/contracts';
import { AppError } from './app-error.ts';
import type { InternalClient } from './internal-client.ts';
import type { Logger } from './logger.ts';
import type { Loop } from './supervisor.ts';

export interface DecisionDeliveryOptions {
  /** Whose decisions these are. */
  service: string;
  /** The `DecisionOutbox` of libs/database. */
  outbox: { next(limit: number): Promise<Decision[]>; removeThrough(number: number): Promise<void> };
  audit: InternalClient;
  /** Whether an error of the outbox passes by itself, such as a database that is away. */
  isPassing: (error: unknown) => boolean;
  onDelivered: (count: number) => void;
  logger: Logger;
}

const pageMax = 256;
const everyMs = 500;

/** Hands decisions to audit until it has them. Replicas may hand in the same ones: audit knows them by their number. */
export class DecisionDelivery {
  #isWaiting = false;

  constructor(private readonly options: DecisionDeliveryOptions) {}

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- page by page
      const hasMore = await this.#deliver(loop.signal).catch((error: unknown) => this.#failed(error));
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(hasMore ? 0 : everyMs);
    }
  }

  async #deliver(signal: AbortSignal): Promise<boolean> {
    const { service, outbox, audit, onDelivered } = this.options;
    const decisions = await outbox.next(pageMax);
    const last = decisions.at(-1);
    if (last === undefined) return false;
    const { received } = await audit.request({
      method: 'POST',
      path: '/internal/v1/decisions',
      route: '/internal/v1/decisions',
      body: { service, decisions },
      schema: decisionReceiptSchema,
      timeoutMs: 1_500,
      signal,
    });
    // Nothing that was not handed in leaves the outbox, whatever the answer says.
    const through = Math.min(received, last.number);
    await outbox.removeThrough(through);
    onDelivered(decisions.filter(({ number }) => number <= through).length);
    this.#isWaiting = false;
    return decisions.length === pageMax && through === last.number;
  }

  #failed(error: unknown): false {
    if (!(error instanceof AppError) && !this.options.isPassing(error)) throw error;
    if (!this.#isWaiting) this.options.logger.warn({ event: 'decisions.waiting', reason: String(error) });
    this.#isWaiting = true;
    return false;
  }
}
