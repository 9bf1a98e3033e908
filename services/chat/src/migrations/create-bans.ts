import { sqlMigration } from '@boardwire/database';

/** Whose events a board takes no more, see `bannedSchema` of contracts. */
export const createBans = sqlMigration(
  'CreateBans1764000000042',
  "ALTER TABLE board ADD COLUMN banned text[] NOT NULL DEFAULT '{}'",
);
