import { DecisionOutbox, isConnectionError, type Database } from '@boardwire/database';
import { DecisionDelivery, InternalClient, type ServiceContext } from '@boardwire/service-kit';
import type { FederationConfig } from '../config.ts';
import type { FederationMetrics } from '../metrics.ts';

export interface Reporting {
  outbox: DecisionOutbox;
  /** Undefined without its address. */
  audit: InternalClient | undefined;
  /** Runs the supervised loop that hands them in. */
  start: () => void;
  close: () => Promise<void>;
}

/** What is decided here, on its way to audit. Without audit's address it waits in the outbox. */
export function reportDecisions(
  database: Database,
  context: ServiceContext,
  { config, metrics }: { config: FederationConfig; metrics: FederationMetrics },
): Reporting {
  const outbox = new DecisionOutbox(database);
  const { AUDIT_URL: baseUrl } = config;
  if (baseUrl === undefined)
    return { outbox, audit: undefined, start: () => undefined, close: () => Promise.resolve() };
  const audit = new InternalClient({ context, service: 'audit', baseUrl });
  const delivery = new DecisionDelivery({
    service: 'federation',
    outbox,
    audit,
    isPassing: isConnectionError,
    onDelivered: (count) => metrics.decisionsDelivered(count),
    logger: context.logger,
  });
  return {
    outbox,
    audit,
    start: () => context.supervisor.run('decisions', { beatEveryMs: 1_000 }, (loop) => delivery.run(loop)),
    close: () => audit.close(),
  };
}
