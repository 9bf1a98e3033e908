import type { Metrics } from './metrics.ts';

/** What is asked of a database; `@boardwire/database` has it. */
export interface WatchedDatabase {
  readonly waiting: number;
  readonly connections: { busy: number; idle: number };
  onProbe(listener: (seconds: number) => void): void;
}

/** Tells how Postgres answers, and whether the pool of connections is large enough. */
export function watchDatabase(metrics: Metrics, database: WatchedDatabase): void {
  const probes = metrics.histogram('database_probe_seconds', 'Time of the cheapest statement, asked twice a second.');
  database.onProbe((seconds) => probes.observe(seconds));
  metrics.queueDepth('database', () => database.waiting);
  metrics.gauge('database_connections', 'Connections of the pool.', ['state'], (gauge) => {
    for (const [state, count] of Object.entries(database.connections)) gauge.set({ state: state as 'busy' }, count);
  });
}
