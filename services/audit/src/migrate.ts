import { readConfig, runTask } from '@boardwire/service-kit';
import { auditConfig } from './config.ts';
import { openAuditDatabase } from './database/open-audit-database.ts';

/** Brings the schema up to date under its owner, grants the running service its rights, and ends. */
await runTask('migrate-audit', async (env, logger) => {
  const keys = auditConfig.pick({ DATABASE_URL: true, DATABASE_OWNER_URL: true });
  const { DATABASE_URL: url, DATABASE_OWNER_URL: ownerUrl } = readConfig(keys, env);
  const { database } = await openAuditDatabase({ url, ownerUrl, poolMax: 1, logger });
  await database.close();
});
