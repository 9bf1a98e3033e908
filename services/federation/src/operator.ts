/** What the operator's command needs of this service. */
export { federationConfig } from './config.ts';
export { migrations } from './migrations.ts';
