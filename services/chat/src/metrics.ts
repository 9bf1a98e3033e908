import type { Metrics } from '@boardwire/service-kit';

const sizeBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** A function for each thing that happens in chat. */
export function chatMetrics(metrics: Metrics) {
  const batchSize = metrics.histogram('append_batch_size', 'Events in one commit.', [], sizeBuckets);
  const appendSeconds = metrics.histogram('append_seconds', 'Time of one commit of a batch, as the service sees it.');
  const outcomes = metrics.counter('append_outcomes_total', 'Appended, repeated and refused events.', ['outcome']);
  const relayed = metrics.counter('relay_events_total', 'Events that the mirror acknowledged.');
  const failures = metrics.counter('relay_failures_total', 'Publications that had to be begun again.', ['reason']);
  const logins = metrics.counter('auth_attempts_total', 'Attempts to register, log in or refresh.', [
    'what',
    'outcome',
  ]);
  const pruned = metrics.counter('retention_pruned_events_total', "Events that outlived their board's retention.");
  const decisions = metrics.counter('decisions_delivered_total', 'Decisions that audit has taken.');
  return {
    committed: (events: number, seconds: number) => {
      batchSize.observe(events);
      appendSeconds.observe(seconds);
    },
    answered: (outcome: 'created' | 'repeated' | 'refused', count: number) => {
      if (count > 0) outcomes.inc({ outcome }, count);
    },
    appendWaited: (seconds: number) => metrics.observeQueueWait('append', seconds),
    appendQueue: (depth: () => number) => metrics.queueDepth('append', depth),
    relayed: (events: number) => relayed.inc(events),
    relayWaited: (seconds: number) => metrics.observeQueueWait('relay', seconds),
    relayFailed: (reason: string) => failures.inc({ reason }),
    relayQueue: (backlog: () => number, lagSeconds: () => number) => {
      metrics.queueDepth('relay', backlog);
      metrics.gauge('relay_backlog_events', 'Events in the log that the mirror has not acknowledged.', [], (gauge) =>
        gauge.set(backlog()),
      );
      metrics.gauge('relay_lag_seconds', 'Time since the mirror last had the whole log.', [], (gauge) =>
        gauge.set(lagSeconds()),
      );
    },
    attempted: (what: string, outcome: string) => logins.inc({ what, outcome }),
    pruned: (events: number) => pruned.inc(events),
    retentionWaits: (boards: () => number) =>
      metrics.gauge('retention_waiting_boards', 'Boards whose old events wait for a follower.', [], (gauge) =>
        gauge.set(boards()),
      ),
    signingKey: (madeAt: () => Date | undefined) =>
      metrics.gauge('token_key_age_seconds', 'Age of the key that signs access tokens.', [], (gauge) =>
        gauge.set((Date.now() - (madeAt()?.getTime() ?? Date.now())) / 1_000),
      ),
    decisionsDelivered: (count: number) => decisions.inc(count),
  };
}
export type ChatMetrics = ReturnType<typeof chatMetrics>;
