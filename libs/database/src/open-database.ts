import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { DataSource, type EntitySchema } from 'typeorm';
import { isConnectionError } from './connection-error.ts';
import { withSearchPath } from './connection-url.ts';
import { Database } from './database.ts';
import type { DatabaseLogger } from './logger.ts';
import { migrate } from './migrate.ts';
import { untilMigrated } from './until-migrated.ts';
import { heardErrors } from './heard-errors.ts';
import { numericTypes } from './numeric-types.ts';
import type { Migration } from './sql-migration.ts';

export interface OpenDatabaseOptions {
  url: string;
  schema: string;
  entities?: readonly (Function | EntitySchema)[];
  /** None: the schema is somebody else's, who has migrated it. */
  migrations: readonly Migration[];
  /** `wait`: they are another program's to run; resolves once all of them have been. Default `run`. */
  migrate?: 'run' | 'wait';
  /** Connections of this process; default 10. */
  poolMax?: number;
  /** The server ends a statement after this; default 10,000. */
  statementTimeoutMs?: number;
  /** How long to wait for Postgres at the start; default 60,000. */
  waitMs?: number;
  logger: DatabaseLogger;
}

const connectMs = 2_000;
const retryMs = 250;
const idleMs = 30_000;
/** The client gives up later than the server, so that the usual timeout leaves a usable connection. */
const clientGraceMs = 1_000;

/** Waits for Postgres, migrates the schema, and opens the pool. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const deadline = Date.now() + (options.waitMs ?? 60_000);
  for (let attempt = 1; ; attempt += 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- attempts follow each other
      return await open(options);
    } catch (error) {
      if (!isConnectionError(error) || Date.now() > deadline) throw error;
      if (attempt === 1) {
        options.logger.warn({ event: 'database.waiting', schema: options.schema, reason: String(error) });
      }
      // oxlint-disable-next-line no-await-in-loop
      await sleep(retryMs);
    }
  }
}

async function open({
  schema,
  migrations,
  migrate: who = 'run',
  logger,
  ...options
}: OpenDatabaseOptions): Promise<Database> {
  const url = withSearchPath(options.url, schema);
  const schemaOptions = { url, schema, migrations, logger };
  if (migrations.length > 0) await (who === 'run' ? migrate(schemaOptions) : untilMigrated(schemaOptions));
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    schema,
    entities: [...(options.entities ?? [])],
    synchronize: false,
    logging: false,
    installExtensions: false,
    poolSize: options.poolMax ?? 10,
    connectTimeoutMS: connectMs,
    // Reported by the Database itself.
    poolErrorHandler: () => undefined,
    extra: { ...poolExtras(options.statementTimeoutMs ?? 10_000), ...heardErrors },
  });
  await dataSource.initialize();
  const pool = (dataSource.driver as unknown as { master: pg.Pool }).master;
  return new Database({ dataSource, pool, url, schema, logger });
}

function poolExtras(statementTimeoutMs: number): pg.PoolConfig {
  return {
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + clientGraceMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    idleTimeoutMillis: idleMs,
    keepAlive: true,
    types: numericTypes,
  };
}
