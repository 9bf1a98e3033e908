import type { FollowedEvent } from '@boardwire/follower';
import type { Metrics } from '@boardwire/service-kit';
import type { Counter, Gauge } from 'prom-client';
import type { HopFailure } from './hop/hop-profile.ts';

export type ItemDirection = 'in' | 'out';
/** What became of a checkpoint that was brought here, and of one of ours that was brought to another site. */
export type WitnessOutcome = 'seen' | 'elsewhere' | 'smaller' | 'forked' | 'too_many';
export type AskerOutcome = 'cosigned' | 'ahead' | 'forked' | 'failed';
/** What is done with items of other sites, one after the other. */
export type IntakeStep = 'verify' | 'store' | 'hand_over';

/** What became of a look at the site's own certificate. */
export type CertificateOutcome = 'trusted' | 'untrusted' | 'unreachable';

/** A peer as its series show it. There are at most as many as a room may have members. */
export interface PeerSeries {
  peer: string;
  state: string;
  lagEvents: number;
  /** Null while nothing was heard of it. */
  lagSeconds: number | null;
  clockOffsetSeconds: number | null;
  /** Until it is dialled again. */
  backoffSeconds: number;
}

/** What happens in federation, a function for each. */
export class FederationMetrics {
  readonly #followed: Counter<'class'>;
  readonly #items: Counter<'dir' | 'outcome'>;
  readonly #steps: Counter<'step'>;
  readonly #equivocations: Counter;
  readonly #decisions: Counter;
  readonly #repairs: Counter<'outcome'>;
  readonly #hopFailures: Counter<'reason'>;
  readonly #decisionsLost: Counter;
  readonly #certificateLooks: Counter<'outcome'>;
  readonly #witness: Counter<'role' | 'outcome'>;
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.#followed = metrics.counter('federation_followed_events_total', 'Events of the log that were taken over.', [
      'class',
    ]);
    this.#items = metrics.counter('fed_items_total', 'Items of feeds, by direction and outcome.', ['dir', 'outcome']);
    this.#steps = metrics.counter('fed_intake_seconds_total', 'Time that each step with items of other sites took.', [
      'step',
    ]);
    this.#decisions = metrics.counter('decisions_delivered_total', 'Decisions that audit has taken.');
    this.#equivocations = metrics.counter('fed_equivocations_total', 'Places for which a site signed two headers.');
    this.#repairs = metrics.counter('fed_repairs_total', 'Gaps of feeds that were fetched, or could not be.', [
      'outcome',
    ]);
    for (const outcome of ['repaired', 'failed'] as const) this.#repairs.inc({ outcome }, 0);
    this.#hopFailures = metrics.counter('fed_sig_failures_total', 'Requests of other sites that proved nothing.', [
      'reason',
    ]);
    this.#witness = metrics.counter('fed_witness_total', 'Checkpoints of audit logs that were brought to a witness.', [
      'role',
      'outcome',
    ]);
    this.#decisionsLost = metrics.counter('decisions_lost_total', 'Decisions that audit could not be told.');
    const looks = 'Looks at the certificates of the site’s own addresses.';
    this.#certificateLooks = metrics.counter('fed_certificate_looks_total', looks, ['outcome']);
    for (const outcome of ['trusted', 'untrusted', 'unreachable'] as const) this.#certificateLooks.inc({ outcome }, 0);
  }

  followed(events: readonly FollowedEvent[]): void {
    const states = events.filter((event) => event.class === 'state').length;
    if (states > 0) this.#followed.inc({ class: 'state' }, states);
    if (events.length > states) this.#followed.inc({ class: 'log' }, events.length - states);
  }

  items(dir: ItemDirection, outcome: string, count: number): void {
    if (count > 0) this.#items.inc({ dir, outcome }, count);
  }

  /** How long a batch was in a step. Batches of different carriers overlap. */
  took(step: IntakeStep, sinceMs: number): void {
    this.#steps.inc({ step }, (performance.now() - sinceMs) / 1_000);
  }

  decisionsDelivered(count: number): void {
    this.#decisions.inc(count);
  }

  repaired(outcome: 'repaired' | 'failed'): void {
    this.#repairs.inc({ outcome });
  }

  /** Tells of every peer whenever it is asked. */
  watchPeers(peers: () => readonly PeerSeries[]): void {
    const gauge = (name: string, help: string, value: (peer: PeerSeries) => number | null) =>
      this.#metrics.gauge(name, help, ['peer'], (series: Gauge<'peer'>) => {
        series.reset();
        for (const one of peers()) {
          const current = value(one);
          if (current !== null) series.set({ peer: one.peer }, current);
        }
      });
    gauge('fed_lag_seconds', 'For how long a peer’s feeds have been behind here.', ({ lagSeconds }) => lagSeconds);
    gauge('fed_lag_events', 'Events of a peer that were told of and are not here.', ({ lagEvents }) => lagEvents);
    gauge('fed_backoff_seconds', 'Until a peer is dialled again.', ({ backoffSeconds }) => backoffSeconds);
    gauge(
      'fed_clock_offset_seconds',
      'How far a peer’s clock is ahead.',
      ({ clockOffsetSeconds }) => clockOffsetSeconds,
    );
    this.#metrics.gauge('fed_state', 'The state a peer is in: 1.', ['peer', 'state'], (series) => {
      series.reset();
      for (const { peer, state } of peers()) series.set({ peer, state }, 1);
    });
  }

  hopRefused(reason: HopFailure): void {
    this.#hopFailures.inc({ reason });
  }

  witnessed(...[role, outcome]: ['witness', WitnessOutcome] | ['asker', AskerOutcome]): void {
    this.#witness.inc({ role, outcome });
  }

  decisionsLost(count: number): void {
    this.#decisionsLost.inc(count);
  }

  /** What peers have open here, asked for at each scrape. */
  watchStreams({ open, bufferedBytes }: { open: () => number; bufferedBytes: () => number }): void {
    this.#metrics.gauge('fed_streams_open', 'Streams that peers have open here.', [], (gauge) => gauge.set(open()));
    const help = 'Bytes that wait for peers to take them.';
    this.#metrics.gauge('fed_outbound_bytes', help, [], (gauge) => gauge.set(bufferedBytes()));
  }

  equivocated(): void {
    this.#equivocations.inc();
  }

  /** When the site's keys in force were made, by use; asked for at each scrape. */
  watchKeys(madeAtMs: () => ReadonlyMap<string, number>): void {
    this.#metrics.gauge('fed_key_age_seconds', 'Age of the site’s keys in force.', ['use'], (gauge) => {
      for (const [use, atMs] of madeAtMs()) gauge.set({ use }, (Date.now() - atMs) / 1_000);
    });
  }

  /** When the certificates of the site's own addresses end, by host; asked for at each scrape. */
  watchCertificates(expiresAtMs: () => ReadonlyMap<string, number>): void {
    const help = 'When the certificate of one of the site’s own addresses ends.';
    this.#metrics.gauge('fed_certificate_expires_timestamp_seconds', help, ['host'], (gauge) => {
      for (const [host, atMs] of expiresAtMs()) gauge.set({ host }, atMs / 1_000);
    });
  }

  certificateSeen(outcome: CertificateOutcome): void {
    this.#certificateLooks.inc({ outcome });
  }
}
