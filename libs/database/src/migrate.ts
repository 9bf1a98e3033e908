import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { advisoryKey } from './advisory-key.ts';
import { endClient } from './end-client.ts';
import { heardErrors } from './heard-errors.ts';
import type { DatabaseLogger } from './logger.ts';
import type { Migration } from './sql-migration.ts';

export interface MigrateOptions {
  /** With the schema in its search path. */
  url: string;
  schema: string;
  migrations: readonly Migration[];
  logger: DatabaseLogger;
}

const lockWaitMs = 60_000;
const retryMs = 100;
const connectMs = 5_000;

/**
 * Brings a schema up to date. Replicas that start together wait for each other: two unlocked runners collide on the
 * migrations table. Uses connections of its own, because a migration may take longer than any query of the service.
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const lock = new pg.Client({ connectionString: options.url, connectionTimeoutMillis: connectMs });
  lock.on('error', () => undefined);
  await lock.connect();
  try {
    await takeLock(lock, options.schema);
    await runMigrations(options);
  } finally {
    await endClient(lock);
  }
}

async function takeLock(client: pg.Client, schema: string): Promise<void> {
  const key = advisoryKey(`migrate:${schema}`);
  const deadline = Date.now() + lockWaitMs;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- polling
    const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [key]);
    if (rows[0]?.held === true) return;
    if (Date.now() > deadline) throw new Error(`another process has been migrating ${schema} for a minute`);
    // oxlint-disable-next-line no-await-in-loop
    await sleep(retryMs);
  }
}

async function runMigrations({ url, schema, migrations, logger }: MigrateOptions): Promise<void> {
  const source = new DataSource({
    type: 'postgres',
    url,
    schema,
    migrations: [...migrations],
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
    installExtensions: false,
    poolSize: 2,
    connectTimeoutMS: connectMs,
    poolErrorHandler: () => undefined,
    extra: heardErrors,
  });
  await source.initialize();
  try {
    const done = await source.runMigrations();
    if (done.length > 0) logger.info({ event: 'database.migrated', schema, migrations: done.map(({ name }) => name) });
  } finally {
    await source.destroy();
  }
}
