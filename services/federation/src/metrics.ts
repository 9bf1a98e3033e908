import type { FollowedEvent } from '@boardwire/follower';
import type { Metrics } from '@boardwire/service-kit';
import type { Counter } from 'prom-client';

export type ItemDirection = 'in' | 'out';

/** What happens in federation, a function for each. */
export class FederationMetrics {
  readonly #followed: Counter<'class'>;
  readonly #items: Counter<'dir' | 'outcome'>;
  readonly #equivocations: Counter;
  readonly #decisions: Counter;

  constructor(metrics: Metrics) {
    this.#followed = metrics.counter('federation_followed_events_total', 'Events of the log that were taken over.', [
      'class',
    ]);
    this.#items = metrics.counter('fed_items_total', 'Items of feeds, by direction and outcome.', ['dir', 'outcome']);
    this.#decisions = metrics.counter('decisions_delivered_total', 'Decisions that audit has taken.');
    this.#equivocations = metrics.counter('fed_equivocations_total', 'Places for which a site signed two headers.');
  }

  followed(events: readonly FollowedEvent[]): void {
    const states = events.filter((event) => event.class === 'state').length;
    if (states > 0) this.#followed.inc({ class: 'state' }, states);
    if (events.length > states) this.#followed.inc({ class: 'log' }, events.length - states);
  }

  items(dir: ItemDirection, outcome: string, count: number): void {
    if (count > 0) this.#items.inc({ dir, outcome }, count);
  }

  decisionsDelivered(count: number): void {
    this.#decisions.inc(count);
  }

  equivocated(): void {
    this.#equivocations.inc();
  }
}
