import type { Metrics } from '@boardwire/service-kit';

/** What the audit log tells the scrape; a function for each thing that happened. */
export class AuditMetrics {
  readonly #metrics: Metrics;
  readonly #commitToCheckpoint;
  readonly #appended;
  readonly #batchSize;
  readonly #appendSeconds;
  readonly #epochs;
  #checkpointedAt: number | undefined;
  readonly #forgotten;
  readonly #scrubRounds;
  #gaps = 0;
  #scrubPosition = 0;
  #scrubFindings = 0;
  #witnessesHeard: readonly number[] = [];

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.#commitToCheckpoint = metrics.histogram(
      'audit_commit_to_checkpoint_seconds',
      'From the commit of an event to the signed checkpoint that covers it; the oldest event of each batch.',
      [],
      checkpointBuckets,
    );
    this.#appended = metrics.counter('audit_entries_total', 'Entries appended to the audit log.', ['kind']);
    this.#batchSize = metrics.histogram(
      'audit_batch_entries',
      'Entries appended in one transaction.',
      [],
      batchBuckets,
    );
    this.#appendSeconds = metrics.histogram('audit_append_seconds', 'Time of one append transaction.');
    this.#epochs = metrics.counter(
      'audit_epochs_total',
      'New epochs of the log that were begun: a backup was put back, or the log lost what was signed.',
    );
    this.#forgotten = metrics.counter(
      'audit_forgotten_total',
      'What outlived its retention, or was redacted, and is gone: details, and whole records.',
      ['what'],
    );
    this.#scrubRounds = metrics.counter(
      'audit_scrub_rounds_total',
      'Complete passes over the log that compared all of it.',
    );
    metrics.gauge('audit_scrub_position', 'Number of the entry that the pass under way has come to.', [], (gauge) => {
      gauge.set(this.#scrubPosition);
    });
    metrics.gauge('audit_scrub_findings', 'What the last complete pass found that does not fit.', [], (gauge) => {
      gauge.set(this.#scrubFindings);
    });
    metrics.gauge('audit_checkpoint_age_seconds', 'Age of the newest signed checkpoint.', [], (gauge) => {
      if (this.#checkpointedAt !== undefined) gauge.set((Date.now() - this.#checkpointedAt) / 1_000);
    });
    metrics.gauge('audit_witnesses', 'Other sites that have cosigned a checkpoint in the last hour.', [], (gauge) => {
      gauge.set(this.#witnessesHeard.filter((atMs) => Date.now() - atMs < hourMs).length);
    });
    metrics.gauge('audit_cosigned_age_seconds', 'Since another site has cosigned a checkpoint.', [], (gauge) => {
      if (this.#witnessesHeard.length > 0) gauge.set((Date.now() - Math.max(...this.#witnessesHeard)) / 1_000);
      // Not 0, as if one had just been here.
      else gauge.remove();
    });
    metrics.gauge('audit_gaps', 'Open gaps: runs of numbers that should be in the log and are not.', [], (gauge) => {
      gauge.set(this.#gaps);
    });
  }

  queue(name: 'audit inbox' | 'sequencer', depth: () => number): void {
    this.#metrics.queueDepth(name, depth);
  }

  batchAppended(batch: { events: number; decisions: number; seconds: number; waitedSeconds: number }): void {
    this.#appended.inc({ kind: 'event' }, batch.events);
    this.#appended.inc({ kind: 'decision' }, batch.decisions);
    this.#batchSize.observe(batch.events + batch.decisions);
    this.#appendSeconds.observe(batch.seconds);
    this.#metrics.observeQueueWait('sequencer', batch.waitedSeconds);
  }

  inboxWaited(seconds: number): void {
    this.#metrics.observeQueueWait('audit inbox', Math.max(0, seconds));
  }

  forgotten(what: 'details' | 'records', count: number): void {
    this.#forgotten.inc({ what }, count);
  }

  scrubbedTo(seq: number): void {
    this.#scrubPosition = seq;
  }

  scrubRound(findings: number): void {
    this.#scrubRounds.inc();
    this.#scrubFindings = findings;
  }

  epochBegun(): void {
    this.#epochs.inc();
  }

  checkpointKnown(atMs: number): void {
    this.#checkpointedAt = atMs;
  }

  /** When each witness was heard last. */
  witnessesKnown(atMs: readonly number[]): void {
    this.#witnessesHeard = atMs;
  }

  batchCheckpointed(committedMs: number, nowMs: number): void {
    this.#commitToCheckpoint.observe(Math.max(0, nowMs - committedMs) / 1_000);
  }

  gapsOpen(count: number): void {
    this.#gaps = count;
  }
}

const hourMs = 3_600_000;
const checkpointBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10, 60];
const batchBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
