import { openDatabase, type Database, type Queryable } from '@boardwire/database';
import type { Logger } from '@boardwire/service-kit';
import { grantRoles } from './grant-roles.ts';
import { auditMigrations } from './migrations.ts';

export interface AuditDatabase {
  database: Database;
  /** What the service becomes to forget something; undefined where it owns its tables itself. */
  retentionRole: string | undefined;
}

export interface OpenAuditOptions {
  /** Whom the service runs as. */
  url: string;
  /** Whose the tables are; absent where that is the same, as in databases that let nobody make roles. */
  ownerUrl: string | undefined;
  /** `wait`: another program migrates as the owner, whom the service then doesn't know. */
  migrate?: 'run' | 'wait';
  poolMax: number;
  logger: Logger;
}

const schema = 'audit';

/**
 * Migrates as the owner, then runs as a role that owns nothing: whatever goes wrong in the service, it can neither change
 * what is logged nor take away the triggers that refuse it.
 */
export async function openAuditDatabase(options: OpenAuditOptions): Promise<AuditDatabase> {
  const { url, ownerUrl, poolMax, logger } = options;
  if (options.migrate === 'wait') return openMigrated(options);
  if (ownerUrl === undefined) {
    const database = await openDatabase({ url, schema, migrations: auditMigrations, poolMax, logger });
    logger.warn({
      event: 'audit.owner_runs',
      reason: 'without DATABASE_OWNER_URL only triggers keep the log from change',
    });
    return { database, retentionRole: undefined };
  }
  const append = decodeURIComponent(new URL(url).username);
  const retention = retentionRoleOf(decodeURIComponent(new URL(ownerUrl).username));
  const owner = await openDatabase({ url: ownerUrl, schema, migrations: auditMigrations, poolMax: 1, logger });
  try {
    await grantRoles(owner, { append, retention });
  } finally {
    await owner.close();
  }
  return { database: await openDatabase({ url, schema, migrations: [], poolMax, logger }), retentionRole: retention };
}

async function openMigrated({ url, poolMax, logger }: OpenAuditOptions): Promise<AuditDatabase> {
  const migrations = auditMigrations;
  const database = await openDatabase({ url, schema, migrations, migrate: 'wait', poolMax, logger });
  const owner = await foreignOwner(database);
  return { database, retentionRole: owner === undefined ? undefined : retentionRoleOf(owner) };
}

/** Whose the tables are; undefined where they are the service's own. */
async function foreignOwner(database: Queryable): Promise<string | undefined> {
  const rows = await database.query<{ owner: string }>(
    `SELECT tableowner AS owner FROM pg_tables
     WHERE schemaname = current_schema() AND tablename = 'entry' AND tableowner <> current_user`,
  );
  return rows[0]?.owner;
}

const retentionRoleOf = (owner: string): string => `${owner}_retention`;
