import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { withSearchPath } from './connection-url.ts';
import { endClient } from './end-client.ts';
import type { MigrateOptions } from './migrate.ts';
import type { Migration } from './sql-migration.ts';

const connectMs = 5_000;
const lookEveryMs = 500;
const tellEveryMs = 10_000;

/** SQLSTATEs of a schema that nobody has migrated at all, or whose owner has granted nothing yet. */
const notYet = new Set(['42P01', '3F000', '42501']);

/**
 * Waits for somebody else to run the migrations that this program knows. Those that it doesn't know are no matter: a newer
 * version has begun to take over, and migrations leave what the version before needs.
 */
export async function untilMigrated({ url, schema, migrations, logger }: MigrateOptions): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: connectMs });
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (let toldMs = -Infinity; ;) {
      // oxlint-disable-next-line no-await-in-loop -- polling
      const missing = await missingOf(client, migrations);
      if (missing.length === 0) return;
      if (performance.now() - toldMs > tellEveryMs) {
        logger.warn({ event: 'database.awaiting_migrations', schema, missing });
        toldMs = performance.now();
      }
      // oxlint-disable-next-line no-await-in-loop
      await sleep(lookEveryMs);
    }
  } finally {
    await endClient(client);
  }
}

/** Of these migrations, the names of those that nobody has run in the schema. Changes nothing. */
export async function missingMigrations({
  url,
  schema,
  migrations,
}: Omit<MigrateOptions, 'logger'>): Promise<string[]> {
  const client = new pg.Client({
    connectionString: withSearchPath(url, schema),
    connectionTimeoutMillis: connectMs,
    query_timeout: connectMs,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await missingOf(client, migrations);
  } finally {
    await endClient(client);
  }
}

async function missingOf(client: pg.Client, migrations: readonly Migration[]): Promise<string[]> {
  const names = migrations.map((migration) => new migration().name!);
  try {
    const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations');
    const done = new Set(rows.map(({ name }) => name));
    return names.filter((name) => !done.has(name));
  } catch (error) {
    if (notYet.has((error as pg.DatabaseError).code ?? '')) return names;
    throw error;
  }
}
