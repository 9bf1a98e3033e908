import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Seconds, from a hundred microseconds to ten seconds. */
export const secondsBuckets = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * prom-client's names that end in `_total` without being counters; `promtool check metrics` refuses them.
 */
const misnamedDefaults = ['handles', 'requests', 'resources'].map((kind) => `nodejs_active_${kind}_total`);

/**
 * A service's own registry: several services can live in one process. Every name given here is prefixed `boardwire_`.
 * Asking twice for the same name answers the same metric.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #depths = new Map<string, () => number>();
  readonly #queueWait: Histogram<'queue'>;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    for (const name of misnamedDefaults) this.registry.removeSingleMetric(name);
    this.#queueWait = this.histogram('queue_wait_seconds', 'Time that work spent waiting in a queue.', ['queue']);
    const depths = this.#depths;
    this.registry.registerMetric(
      new Gauge({
        name: 'boardwire_queue_depth',
        help: 'Items waiting in a queue.',
        labelNames: ['queue'],
        registers: [],
        collect() {
          for (const [queue, depth] of depths) this.set({ queue }, depth());
        },
      }),
    );
  }

  counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    const known = this.registry.getSingleMetric(`boardwire_${name}`);
    if (known !== undefined) return known as unknown as Counter<L>;
    return new Counter<L>({ name: `boardwire_${name}`, help, labelNames, registers: [this.registry] });
  }

  /** With `collect`, the value is asked for at each scrape. */
  gauge<L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    collect?: (gauge: Gauge<L>) => void,
  ): Gauge<L> {
    const known = this.registry.getSingleMetric(`boardwire_${name}`);
    if (known !== undefined) return known as unknown as Gauge<L>;
    const gauge: Gauge<L> = new Gauge<L>({
      name: `boardwire_${name}`,
      help,
      labelNames,
      registers: [this.registry],
      ...(collect === undefined ? {} : { collect: () => collect(gauge) }),
    });
    return gauge;
  }

  /** Buckets are seconds unless given. */
  histogram<L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    buckets: readonly number[] = secondsBuckets,
  ): Histogram<L> {
    const known = this.registry.getSingleMetric(`boardwire_${name}`);
    if (known !== undefined) return known as unknown as Histogram<L>;
    const full = { name: `boardwire_${name}`, help, labelNames, buckets: [...buckets], registers: [this.registry] };
    return new Histogram<L>(full);
  }

  /** Tells how deep a queue is, in `boardwire_queue_depth{queue}` and in the service's status. */
  queueDepth(queue: string, depth: () => number): void {
    this.#depths.set(queue, depth);
  }

  observeQueueWait(queue: string, seconds: number): void {
    this.#queueWait.observe({ queue }, seconds);
  }

  queueDepths(): Record<string, number> {
    return Object.fromEntries([...this.#depths].map(([queue, depth]) => [queue, depth()]));
  }
}
