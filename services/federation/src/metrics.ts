import type { FollowedEvent } from '@boardwire/follower';
import type { Metrics } from '@boardwire/service-kit';
import type { Counter } from 'prom-client';

/** What happens in federation, a function for each. */
export class FederationMetrics {
  readonly #followed: Counter<'class'>;

  constructor(metrics: Metrics) {
    this.#followed = metrics.counter('federation_followed_events_total', 'Events of the log that were taken over.', [
      'class',
    ]);
  }

  followed(events: readonly FollowedEvent[]): void {
    const states = events.filter((event) => event.class === 'state').length;
    if (states > 0) this.#followed.inc({ class: 'state' }, states);
    if (events.length > states) this.#followed.inc({ class: 'log' }, events.length - states);
  }
}
