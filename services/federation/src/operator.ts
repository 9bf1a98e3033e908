/** What the operator's command needs of this service. */
export { federationConfig } from './config.ts';
export { askPeers, type AskedRoom, type FederationState } from './operator/ask-peers.ts';
export { migrations } from './migrations.ts';
