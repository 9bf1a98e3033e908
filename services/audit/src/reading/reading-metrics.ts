import type { Metrics } from '@boardwire/service-kit';

/** What readers do, for the scrape. Who they are is in the log itself. */
export class ReadingMetrics {
  readonly #reads;
  readonly #rows;

  constructor(private readonly metrics: Metrics) {
    this.#reads = metrics.counter('audit_reads_total', 'Requests to read the audit log.', ['action', 'outcome']);
    this.#rows = metrics.counter('audit_read_entries_total', 'Entries that requests were answered with; files aside.');
  }

  read(action: string, outcome: string, rows: number): void {
    this.#reads.inc({ action, outcome });
    this.#rows.inc(rows);
  }

  /** Answers that are under way. */
  underWay({ tails, exports }: { tails: () => number; exports: () => number }): void {
    this.metrics.gauge('audit_tails', 'Live tails that are open.', [], (gauge) => gauge.set(tails()));
    this.metrics.gauge('audit_exports', 'Files that are being made.', [], (gauge) => gauge.set(exports()));
  }
}
