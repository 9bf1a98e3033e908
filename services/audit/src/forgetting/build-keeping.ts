import type { Database } from '@boardwire/database';
import type { InternalClient, ServiceContext } from '@boardwire/service-kit';
import type { AuditConfig } from '../config.ts';
import type { CheckpointKey } from '../log/checkpoint-key.ts';
import { NameSummaries } from '../log/name-summaries.ts';
import type { LogWitness } from '../log/log-witness.ts';
import { Scrub } from '../log/scrub.ts';
import type { AuditMetrics } from '../metrics.ts';
import { Redactions } from './redactions.ts';
import { Retention } from './retention.ts';

export interface KeepingDependencies {
  context: ServiceContext;
  config: AuditConfig;
  database: Database;
  retentionRole: string | undefined;
  chat: InternalClient;
  key: CheckpointKey;
  witness: LogWitness | undefined;
  metrics: AuditMetrics;
  isLeading: () => boolean;
}

/** How long what is kept. */
export interface KeepingPolicy {
  detailDays: number | undefined;
  recordDays: number | undefined;
  isHeld: boolean;
}

/** What looks after the log as it lies: that it is whole, that it forgets what it has to, that names are found soon. */
export function buildKeeping(dependencies: KeepingDependencies) {
  const { config, context, retentionRole: role } = dependencies;
  const { logger, supervisor } = context;
  const policy: KeepingPolicy = {
    detailDays: config.AUDIT_DETAIL_DAYS,
    recordDays: config.AUDIT_RECORD_DAYS,
    isHeld: config.AUDIT_LEGAL_HOLD === 'true',
  };
  const shared = { ...dependencies, logger, role };
  const retention = new Retention({ ...shared, ...policy, everyMs: config.AUDIT_RETENTION_EVERY_MS });
  const redactions = new Redactions({ ...shared, isHeld: policy.isHeld });
  const scrub = new Scrub({ ...shared, everyMs: config.AUDIT_SCRUB_EVERY_MS });
  const names = new NameSummaries(shared);
  const start = () => {
    supervisor.run('audit-retention', { beatEveryMs: 1_000 }, (loop) => retention.run(loop));
    supervisor.run('audit-redaction', { beatEveryMs: 1_000 }, (loop) => redactions.run(loop));
    supervisor.run('audit-names', { beatEveryMs: 1_000 }, (loop) => names.run(loop));
    supervisor.run('audit-scrub', { beatEveryMs: 1_000 }, (loop) => scrub.run(loop));
  };
  return { redactions, scrub, policy, start };
}
