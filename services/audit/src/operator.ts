/** What the operator's command needs of this service. */
export { auditConfig } from './config.ts';
export { auditMigrations as migrations } from './database/migrations.ts';
