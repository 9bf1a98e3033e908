import type { Metrics } from '@boardwire/service-kit';
import type { Counter, Histogram } from 'prom-client';
import type { FailedBy } from './delivery/failed-readers.ts';
import type { ResumeOutcome } from './delivery/subscription-options.ts';
import type { DropReason, GossipKind } from './presence/gossip/gossip.ts';

export type Transport = 'sse' | 'ws' | 'dialect';
/** By what a client was found to be too slow: its outbox, what it has not read, no progress, or the bound of all. */
const slowCuts = ['outbox', 'unread', 'still', 'total'] as const;
export type SlowCut = (typeof slowCuts)[number];
const rateLimited = ['publish', 'frames', 'connections'] as const;
export type RateLimited = (typeof rateLimited)[number];
const publishOutcomes = ['created', 'repeated', 'refused', 'failed', 'ephemeral'] as const;
export type PublishOutcome = (typeof publishOutcomes)[number];

const ages = [0, 1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

/** What users feel of the gateway, a function for each thing that happened. Labels are from small closed sets. */
export class GatewayMetrics {
  readonly #metrics: Metrics;
  readonly #deliver: Histogram;
  readonly #deliveries: Counter;
  readonly #closes: Counter<'transport' | 'code'>;
  readonly #slowCuts: Counter<'why'>;
  readonly #resumes: Counter<'outcome'>;
  readonly #replay: Histogram;
  readonly #cursorAge: Histogram;
  readonly #authFailures: Counter<'reason'>;
  readonly #rateLimited: Counter<'what'>;
  readonly #published: Counter<'outcome'>;
  readonly #publishBatch: Histogram;
  readonly #readerFailures: Counter<'by'>;
  readonly #decisionsLost: Counter;
  readonly #conflated: Counter;
  readonly #ringsLetGo: Counter;
  readonly #ephemeral: Counter<'from'>;
  readonly #ephemeralDropped: Counter<'where'>;
  readonly #gossipSent: Counter<'kind'>;
  readonly #podsDropped: Counter<'reason'>;
  readonly #gossipRefused: Counter;
  readonly #typing: Counter<'from'>;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.#deliver = metrics.histogram('publish_to_deliver_seconds', 'Commit of an event to the end of its pass.');
    this.#deliveries = metrics.counter('deliveries_total', 'Writes of live events to connections.');
    this.#closes = metrics.counter('closes_total', 'Connections that ended.', ['transport', 'code']);
    this.#slowCuts = metrics.counter('slow_cuts_total', 'Clients cut for being slow, by how that was seen.', ['why']);
    this.#resumes = metrics.counter('resumes_total', 'Streams opened, by how.', ['outcome']);
    this.#replay = metrics.histogram('replay_seconds', 'Time from the opening block to caught_up.');
    this.#cursorAge = metrics.histogram('cursor_age_events', 'How far behind a cursor was.', [], ages);
    this.#authFailures = metrics.counter('auth_failures_total', 'Tokens refused.', ['reason']);
    this.#rateLimited = metrics.counter('rate_limited_total', 'Requests refused for their rate.', ['what']);
    this.#published = metrics.counter('published_events_total', 'Events taken from publishers, by outcome.', [
      'outcome',
    ]);
    this.#publishBatch = metrics.histogram(
      'publish_batch_events',
      'Events that rode in one request to chat.',
      [],
      [1, 2, 5, 10, 25, 50, 100, 250, 512],
    );
    this.#readerFailures = metrics.counter(
      'reader_failures_total',
      'Subscriptions ended because their encoder or handler threw.',
      ['by'],
    );
    this.#decisionsLost = metrics.counter('decisions_lost_total', 'Decisions that audit could not be told.');
    this.#ringsLetGo = metrics.counter(
      'ring_evictions_total',
      'Events let go of because all boards together held too many.',
    );
    this.#conflated = metrics.counter('conflated_total', 'Events left out for newer ones of their subject.');
    this.#ephemeral = metrics.counter('ephemeral_events_total', 'Ephemeral events, by the gateway they came to.', [
      'from',
    ]);
    this.#ephemeralDropped = metrics.counter(
      'ephemeral_dropped_total',
      'Ephemeral events not sent to other gateways (bus), not taken on (queue), deliveries left out (outbox), or none at all (foreign).',
      ['where'],
    );
    this.#gossipSent = metrics.counter('presence_messages_total', 'Told to other gateways about presence.', ['kind']);
    this.#podsDropped = metrics.counter('presence_pods_dropped_total', 'Other gateways that are gone.', ['reason']);
    this.#gossipRefused = metrics.counter('presence_refused_total', 'Messages of presence that were not taken.');
    this.#typing = metrics.counter('typing_total', 'Beginnings and ends of typing, by the gateway they came to.', [
      'from',
    ]);
    this.#beginAtZero();
  }

  /** A series that begins with its first event hides that event from every rate. */
  #beginAtZero(): void {
    for (const why of slowCuts) this.#slowCuts.inc({ why }, 0);
    for (const what of rateLimited) this.#rateLimited.inc({ what }, 0);
    for (const outcome of publishOutcomes) this.#published.inc({ outcome }, 0);
  }

  passDone(pass: { writes: number; committedMs: number }): void {
    this.#deliver.observe(Math.max(0, Date.now() - pass.committedMs) / 1_000);
    this.#deliveries.inc(pass.writes);
  }

  closed(transport: Transport, code: string): void {
    this.#closes.inc({ transport, code });
  }

  slowCut(why: SlowCut): void {
    this.#slowCuts.inc({ why });
  }

  opened(outcome: ResumeOutcome, cursorAge: number): void {
    this.#resumes.inc({ outcome });
    if (outcome !== 'fresh') this.#cursorAge.observe(cursorAge);
  }

  replayed(seconds: number): void {
    this.#replay.observe(seconds);
  }

  authFailed(reason: string): void {
    this.#authFailures.inc({ reason });
  }

  rateLimited(what: RateLimited): void {
    this.#rateLimited.inc({ what });
  }

  published(outcome: PublishOutcome, count: number): void {
    this.#published.inc({ outcome }, count);
  }

  publishBatch(events: number): void {
    this.#publishBatch.observe(events);
  }

  readersFailed(by: FailedBy, subscriptions: number): void {
    this.#readerFailures.inc({ by }, subscriptions);
  }

  decisionsLost(count: number): void {
    this.#decisionsLost.inc(count);
  }

  ringsLetGo(events: number): void {
    this.#ringsLetGo.inc(events);
  }

  watchRings(bytes: () => number): void {
    this.#gauge('ring_bytes', 'Bytes of the newest events of all boards, kept for who comes back.', bytes);
  }

  conflated(events: number): void {
    this.#conflated.inc(events);
  }

  ephemeral(from: 'here' | 'elsewhere'): void {
    this.#ephemeral.inc({ from });
  }

  ephemeralDropped(where: 'bus' | 'queue' | 'outbox' | 'foreign', count: number): void {
    this.#ephemeralDropped.inc({ where }, count);
  }

  ephemeralsDelivered(deliveries: number): void {
    this.#deliveries.inc(deliveries);
  }

  gossipSent(kind: GossipKind): void {
    this.#gossipSent.inc({ kind });
  }

  podDropped(reason: DropReason): void {
    this.#podsDropped.inc({ reason });
  }

  gossipRefused(): void {
    this.#gossipRefused.inc();
  }

  typing(from: 'here' | 'elsewhere'): void {
    this.#typing.inc({ from });
  }

  /** The other gateways, as this one hears them. */
  watchPods(pods: { heard: () => number; behind: () => number }): void {
    this.#gauge('presence_pods', 'Other gateways that are heard of.', pods.heard);
    this.#gauge('presence_pods_behind', 'Other gateways whose list is asked for.', pods.behind);
  }

  /** Tells what is asked for at each scrape. */
  watch(sources: {
    connections: () => Record<Transport, number>;
    subscriptions: () => number;
    outbox: () => { bytes: number; events: number };
    presentUsers: () => number;
    syncAgeSeconds: () => number;
  }): void {
    this.#metrics.gauge('gateway_connections', 'Open connections.', ['transport'], (gauge) => {
      for (const [transport, count] of Object.entries(sources.connections())) {
        gauge.set({ transport: transport as Transport }, count);
      }
    });
    this.#gauge('subscriptions', 'Open subscriptions.', sources.subscriptions);
    this.#gauge('outbox_bytes', 'Bytes that wait for sockets.', () => sources.outbox().bytes);
    this.#gauge('outbox_events', 'Events that wait for sockets.', () => sources.outbox().events);
    this.#gauge('presence_users', 'Users with an open subscription on any gateway.', sources.presentUsers);
    this.#gauge('sync_age_seconds', 'Time since chat last told what changed.', sources.syncAgeSeconds);
    this.#metrics.queueDepth('outbox', () => sources.outbox().events);
  }

  queueDepth(queue: 'replay' | 'publish' | 'decisions', depth: () => number): void {
    this.#metrics.queueDepth(queue, depth);
  }

  queueWait(queue: 'replay' | 'publish' | 'outbox', seconds: number): void {
    this.#metrics.observeQueueWait(queue, seconds);
  }

  #gauge(name: string, help: string, value: () => number): void {
    this.#metrics.gauge(name, help, [], (gauge) => gauge.set(value()));
  }
}
