import type { Database } from '@boardwire/database';
import type { ServiceContext } from '@boardwire/service-kit';
import type { DecisionInbox } from '../decisions/decision-inbox.ts';
import { Exporter } from '../exporting/exporter.ts';
import { Tails } from '../tailing/tails.ts';
import { AuditReader } from './audit-reader.ts';
import { DecisionAudits } from './decision-audits.ts';
import { FacetCounter } from './facets.ts';
import { ReadRecords } from './read-records.ts';
import { ReadingMetrics } from './reading-metrics.ts';

/** What readers are served from, on every replica. */
export interface Reading {
  reader: AuditReader;
  facets: FacetCounter;
  exporter: Exporter;
  tails: Tails;
  decisionAudits: DecisionAudits;
  records: ReadRecords;
  /** Tails never end by themselves: this lets their readers go elsewhere. */
  endTails(): void;
}

export function buildReading(context: ServiceContext, database: Database, inbox: DecisionInbox): Reading {
  const ending = new AbortController();
  const exporter = new Exporter(database);
  const tails = new Tails({ database, signal: ending.signal });
  const metrics = new ReadingMetrics(context.metrics);
  metrics.underWay({ tails: () => tails.open, exports: () => exporter.underWay });
  return {
    reader: new AuditReader(database),
    facets: new FacetCounter(database),
    exporter,
    tails,
    decisionAudits: new DecisionAudits(database),
    records: new ReadRecords(inbox, metrics, context.logger),
    endTails: () => ending.abort(),
  };
}
