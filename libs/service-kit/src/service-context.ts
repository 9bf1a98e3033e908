import type { CommonConfig } from './config.ts';
import { Health } from './health.ts';
import { createLogger, logFile, type Logger } from './logger.ts';
import { Metrics } from './metrics.ts';
import { RouteBook } from './route-book.ts';
import { ServiceTokens } from './service-tokens.ts';
import { Supervisor } from './supervisor.ts';
import { version } from './version.ts';

/** What every part of a service shares. One per service, also when several services live in one process. */
export interface ServiceContext {
  readonly name: string;
  readonly config: CommonConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly supervisor: Supervisor;
  readonly tokens: ServiceTokens;
  readonly routes: RouteBook;
}

export function createContext(name: string, config: CommonConfig): ServiceContext {
  const logger = createLogger({
    service: name,
    level: config.LOG_LEVEL,
    ...(config.LOG_FILE === undefined ? {} : { destination: logFile(config.LOG_FILE) }),
  });
  const metrics = new Metrics();
  const supervisor = new Supervisor({ logger, metrics });
  const health = new Health(() => supervisor.unhealthy());
  metrics.gauge('ready', '1 when the service is ready for requests, also when degraded.', [], (gauge) => {
    const { status } = health.report();
    gauge.set(status === 'ok' || status === 'degraded' ? 1 : 0);
  });
  metrics.gauge('degraded', '1 when a dependency is missing that the service can do without.', [], (gauge) => {
    gauge.set(health.report().status === 'degraded' ? 1 : 0);
  });
  metrics.gauge('build_info', 'Always 1; its label says which release runs.', ['version']).set({ version }, 1);
  const tokens = new ServiceTokens(name, config.INTERNAL_SECRET);
  return { name, config, logger, metrics, health, supervisor, tokens, routes: new RouteBook() };
}
