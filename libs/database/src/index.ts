export { AdvisoryLock } from './advisory-lock.ts';
export { isConnectionError } from './connection-error.ts';
export { Database, type PreparedStatement, type Queryable } from './database.ts';
export { DecisionOutbox, decisionOutboxMigration, type NewDecision } from './decision-outbox.ts';
export type { DatabaseLogger } from './logger.ts';
export { openDatabase, type OpenDatabaseOptions } from './open-database.ts';
export { provisionSchemas, type ServiceSchema } from './provision-schemas.ts';
export { missingMigrations } from './until-migrated.ts';
export { sqlMigration, type Migration } from './sql-migration.ts';
