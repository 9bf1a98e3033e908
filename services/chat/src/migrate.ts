import { openDatabase } from '@boardwire/database';
import { readConfig, runTask } from '@boardwire/service-kit';
import { chatConfig } from './config.ts';
import { migrations } from './migrations/migrations.ts';

/** Longer than a database takes to come up beside this. */
const waitMs = 300_000;

/** Brings the schema up to date and ends; services with `MIGRATIONS=wait` wait for it. */
await runTask('migrate-chat', async (env, logger) => {
  const { DATABASE_URL: url } = readConfig(chatConfig.pick({ DATABASE_URL: true }), env);
  const database = await openDatabase({ url, schema: 'chat', migrations, poolMax: 1, waitMs, logger });
  await database.close();
});
