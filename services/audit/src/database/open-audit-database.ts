import { openDatabase, type Database } from '@boardwire/database';
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
  poolMax: number;
  logger: Logger;
}

const schema = 'audit';

/**
 * Migrates as the owner, then runs as a role that owns nothing: whatever goes wrong in the service, it can neither change
 * what is logged nor take away the triggers that refuse it.
 */
export async function openAuditDatabase({ url, ownerUrl, poolMax, logger }: OpenAuditOptions): Promise<AuditDatabase> {
  if (ownerUrl === undefined) {
    const database = await openDatabase({ url, schema, migrations: auditMigrations, poolMax, logger });
    logger.warn({
      event: 'audit.owner_runs',
      reason: 'without DATABASE_OWNER_URL only triggers keep the log from change',
    });
    return { database, retentionRole: undefined };
  }
  const append = decodeURIComponent(new URL(url).username);
  const retention = `${decodeURIComponent(new URL(ownerUrl).username)}_retention`;
  const owner = await openDatabase({ url: ownerUrl, schema, migrations: auditMigrations, poolMax: 1, logger });
  try {
    await grantRoles(owner, { append, retention });
  } finally {
    await owner.close();
  }
  return { database: await openDatabase({ url, schema, migrations: [], poolMax, logger }), retentionRole: retention };
}
