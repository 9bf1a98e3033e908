import type { FederationConfig } from '../config.ts';
import { KeyVault } from './key-vault.ts';

/** Opens what the secret in force has sealed, and the one before. */
export function vaultOf(
  config: Pick<FederationConfig, 'KEY_SECRET' | 'KEY_SECRET_FORMER' | 'INTERNAL_SECRET'>,
): KeyVault {
  const secret = config.KEY_SECRET ?? config.INTERNAL_SECRET;
  return new KeyVault(config.KEY_SECRET_FORMER === undefined ? [secret] : [secret, config.KEY_SECRET_FORMER]);
}
