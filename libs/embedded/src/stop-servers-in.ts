import { join } from 'node:path';
import { stopNatsIn } from './nats/embedded-nats.ts';
import { stopPostgresOn } from './postgres/postgres-cluster.ts';

/** Stops servers of ours that still run on a data folder although their launcher is gone. */
export async function stopServersIn(dataDir: string): Promise<void> {
  await Promise.all([stopPostgresOn(join(dataDir, 'postgres', 'cluster')), stopNatsIn(join(dataDir, 'nats'))]);
}
