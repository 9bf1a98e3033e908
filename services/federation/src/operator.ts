/** What the operator's command needs of this service. */
export { federationConfig } from './config.ts';
export { askPeers, type AskedRoom, type FederationState } from './operator/ask-peers.ts';
export { rotateKeys, type KeysOfSite, type KnownKey, type RotateKeysOptions } from './operator/rotate-keys.ts';
export { rotatedUses, type RotatedUse, type Rotation } from './identity/rotate-site-keys.ts';
export { migrations } from './migrations.ts';
