import { decisionReceiptSchema } from '@boardwire/contracts';
import { isConnectionError } from '@boardwire/database';
import { AppError, type InternalClient, type Logger, type Loop } from '@boardwire/service-kit';
import { bounds } from '../bounds.ts';
import type { ChatMetrics } from '../metrics.ts';
import type { DecisionOutbox } from './decision-outbox.ts';

export interface DecisionDeliveryOptions {
  outbox: DecisionOutbox;
  audit: InternalClient;
  metrics: ChatMetrics;
  logger: Logger;
}

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
      await loop.idle(hasMore ? 0 : bounds.decisionsEveryMs);
    }
  }

  async #deliver(signal: AbortSignal): Promise<boolean> {
    const { outbox, audit, metrics } = this.options;
    const decisions = await outbox.next(bounds.decisionsPageMax);
    const last = decisions.at(-1);
    if (last === undefined) return false;
    const { received } = await audit.request({
      method: 'POST',
      path: '/internal/v1/decisions',
      route: '/internal/v1/decisions',
      body: { service: 'chat', decisions },
      schema: decisionReceiptSchema,
      timeoutMs: 1_500,
      signal,
    });
    // Nothing that was not handed in leaves the outbox, whatever the answer says.
    const through = Math.min(received, last.number);
    await outbox.removeThrough(through);
    metrics.decisionsDelivered(decisions.filter(({ number }) => number <= through).length);
    this.#isWaiting = false;
    return decisions.length === bounds.decisionsPageMax && through === last.number;
  }

  #failed(error: unknown): false {
    const isExpected = error instanceof AppError || isConnectionError(error);
    if (!isExpected) throw error;
    if (!this.#isWaiting) this.options.logger.warn({ event: 'decisions.waiting', reason: String(error) });
    this.#isWaiting = true;
    return false;
  }
}
