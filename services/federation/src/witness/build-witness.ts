import type { Database, DecisionOutbox } from '@boardwire/database';
import type { InternalClient, ServiceContext } from '@boardwire/service-kit';
import type { HopClient } from '../hop/hop-client.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import type { FederationMetrics } from '../metrics.ts';
import type { SiteRoute } from '../wire/wire-route.ts';
import { addCheckpointRoute } from './add-checkpoint.ts';
import { CheckpointCourier } from './checkpoint-courier.ts';
import { OwnLog } from './own-log.ts';
import { ownWitness } from './own-witness.ts';
import { WitnessBook } from './witness-book.ts';

export interface BuildWitnessOptions {
  database: Database;
  identity: SiteIdentity;
  hop: { client: HopClient };
  context: ServiceContext;
  metrics: FederationMetrics;
  decisions: DecisionOutbox;
  /** Undefined: there is no log here to be cosigned. */
  audit: InternalClient | undefined;
}

export interface WitnessParts {
  route: SiteRoute;
  /** Runs the supervised loop that has this site's own log cosigned. */
  start: () => void;
}

/** This site as a witness of others' audit logs, and others as witnesses of its own. */
export function buildWitness(options: BuildWitnessOptions): WitnessParts {
  const { database, identity, hop, context, metrics, decisions, audit } = options;
  const { logger, supervisor } = context;
  const book = new WitnessBook(database, decisions);
  return {
    route: addCheckpointRoute({ book, witness: ownWitness(identity), metrics, logger }),
    start: () => {
      if (audit === undefined) return;
      const log = new OwnLog(audit);
      const courier = new CheckpointCourier({ database, client: hop.client, log, metrics, logger });
      supervisor.run('witnesses', { beatEveryMs: 1_000 }, (loop) => courier.run(loop));
    },
  };
}
