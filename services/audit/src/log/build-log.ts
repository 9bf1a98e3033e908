import type { Database } from '@boardwire/database';
import type { Bus } from '@boardwire/messaging';
import type { Logger } from '@boardwire/service-kit';
import type { AuditMetrics } from '../metrics.ts';
import type { CheckpointKey } from './checkpoint-key.ts';
import { Checkpointer } from './checkpointer.ts';
import { DayPartitions } from './day-partitions.ts';
import { LogEpochs } from './log-epochs.ts';
import { LogStore } from './log-store.ts';
import { LogWitness } from './log-witness.ts';
import { Sequencer, type Probe } from './sequencer.ts';
import type { ZoneDays } from './zone-days.ts';

export interface LogDependencies {
  database: Database;
  /** Absent: nothing outside the database is asked what was signed. */
  bus?: Bus | undefined;
  key: CheckpointKey;
  days: ZoneDays;
  siteTimeZone: string;
  metrics: AuditMetrics;
  logger: Logger;
  probe?: Probe | undefined;
}

export interface Log {
  store: LogStore;
  sequencer: Sequencer;
  checkpointer: Checkpointer;
  witness: LogWitness | undefined;
}

/** The log itself: what stores it, what numbers its entries, what signs it. */
export function buildLog(dependencies: LogDependencies): Log {
  const { database, bus, key, metrics, logger, probe } = dependencies;
  const partitions = new DayPartitions(database);
  const witness = bus === undefined ? undefined : new LogWitness({ bus, key, logger });
  const epochs = new LogEpochs({ ...dependencies, partitions });
  const store = new LogStore({ database, partitions, epochs, witness });
  const sequencer = new Sequencer({ store, metrics, logger, probe });
  const checkpointer = new Checkpointer({ database, sequencer, key, witness, metrics, logger, probe });
  return { store, sequencer, checkpointer, witness };
}
