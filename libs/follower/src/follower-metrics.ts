import type { Metrics } from '@boardwire/service-kit';

export interface FollowerSources {
  /** Events that wait for the handler. */
  queued: () => number;
  /** Events that wait behind holes. */
  ahead: () => number;
  isAttached: () => boolean;
  pending: () => number;
  lag: () => number;
}

/** What a follower tells the scrape; a function for each thing that happened. */
export class FollowerMetrics {
  readonly #metrics: Metrics;
  readonly #duplicates;
  readonly #foreign;
  readonly #gapFills;
  readonly #gapFillEvents;
  readonly #left;
  readonly #handlerFailures;
  readonly #lostTails;
  readonly #pruned;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.#duplicates = metrics.counter('duplicates_dropped_total', 'Events received again and dropped.');
    this.#foreign = metrics.counter('foreign_messages_dropped_total', 'Stream messages that are no mirrored event.');
    this.#gapFills = metrics.counter(
      'gap_fills_total',
      'Holes in what JetStream delivered that were read from the log.',
    );
    this.#gapFillEvents = metrics.counter('gap_fill_events_total', 'Events read from the log to fill holes.');
    this.#left = metrics.counter(
      'intake_overflow_total',
      'Live events dropped at a full queue, read from the log later.',
    );
    this.#handlerFailures = metrics.counter(
      'intake_handler_failures_total',
      'Exceptions of the handler of followed events.',
    );
    this.#lostTails = metrics.counter(
      'lost_tails_total',
      'Boards whose newest events JetStream did not deliver in time.',
    );
    this.#pruned = metrics.counter('pruned_unread_events_total', 'Events that the log let go before they were read.');
  }

  duplicateDropped = () => this.#duplicates.inc();
  foreignDropped = () => this.#foreign.inc();
  gapFillStarted = () => this.#gapFills.inc();
  gapFillEvents = (count: number) => this.#gapFillEvents.inc(count);
  leftForLater = () => this.#left.inc();
  handlerFailed = () => this.#handlerFailures.inc();
  pruned = (count: number) => this.#pruned.inc(count);
  lostTail = () => this.#lostTails.inc();
  intakeWaited = (seconds: number) => this.#metrics.observeQueueWait('intake', seconds);
  holeWaited = (seconds: number) => this.#metrics.observeQueueWait('hole_fill', seconds);

  /** Tells what is asked for at each scrape. */
  watch(consumer: string, sources: FollowerSources): void {
    this.#metrics.queueDepth('intake', sources.queued);
    this.#metrics.queueDepth('hole_fill', sources.ahead);
    this.#metrics.gauge(
      'consumer_pending',
      'Messages of the mirror that wait for this consumer.',
      ['consumer'],
      (gauge) => gauge.set({ consumer }, sources.pending()),
    );
    this.#metrics.gauge('intake_attached', '1 while the mirror delivers to this follower.', [], (gauge) =>
      gauge.set(sources.isAttached() ? 1 : 0),
    );
    this.#metrics.gauge('follower_lag_events', 'Events in the log that the handler is not done with.', [], (gauge) =>
      gauge.set(sources.lag()),
    );
  }
}
