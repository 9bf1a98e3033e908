import { missingMigrations, openDatabase, type Database } from '@boardwire/database';
import { createLogger, readConfig, type Environment } from '@boardwire/service-kit';
import { federationConfig } from '../config.ts';
import { IdentityStore } from '../identity/identity-store.ts';
import type { KeyVault } from '../identity/key-vault.ts';
import { rotateSiteKeys, type Rotated, type RotateOptions } from '../identity/rotate-site-keys.ts';
import type { KeyUse } from '../identity/site-keys.ts';
import { vaultOf } from '../identity/vault-of.ts';
import { migrations } from '../migrations.ts';

export interface KnownKey {
  use: KeyUse;
  kid: string;
  madeAt: Date;
  /** `next`: named already, signs later. `leaving`: signs no more, and is named a while longer. */
  state: 'in_force' | 'next' | 'leaving' | 'former';
  /** Of a next key: from when it signs. Of one that leaves: until when it is named. */
  changesAt: Date | null;
}

export interface KeysOfSite {
  keys: KnownKey[];
  rotated: Rotated | undefined;
}

export type RotateKeysOptions = RotateOptions & {
  /** Only looks. */
  isDryRun: boolean;
};

/**
 * Makes new keys for the site, which running services take up by themselves. All or nothing, in one transaction.
 *
 * @throws Error when there is nothing to rotate, keys can't be opened, or a rotation is under way
 */
export async function rotateKeys(env: Environment, { isDryRun, ...options }: RotateKeysOptions): Promise<KeysOfSite> {
  const config = readConfig(federationConfig, env);
  const logger = createLogger({ service: 'operator', level: 'silent' });
  const place = { url: config.DATABASE_URL, schema: 'federation' };
  const database = await openDatabase({ ...place, migrations: [], waitMs: 0, poolMax: 2, logger });
  try {
    if ((await missingMigrations({ ...place, migrations })).length > 0) {
      throw new Error('federation of this version has never started here: its migrations come first');
    }
    const vault = vaultOf(config);
    if (isDryRun) await assertTheyOpen(database, vault);
    const rotated = isDryRun ? undefined : await rotateSiteKeys(database, vault, options);
    return { keys: await database.query<KnownKey>(allKeys), rotated };
  } finally {
    await database.close();
  }
}

async function assertTheyOpen(database: Database, vault: KeyVault): Promise<void> {
  await database.transaction((transaction) => new IdentityStore(transaction, vault).keys());
}

const allKeys = `
  SELECT use, kid, created_at AS "madeAt",
    CASE WHEN retired_at IS NULL THEN 'in_force' WHEN named_until > now() THEN 'leaving' ELSE 'former' END AS state,
    named_until AS "changesAt"
  FROM site_key
  UNION ALL SELECT use, kid, created_at, 'next', signs_from FROM next_site_key
  ORDER BY use, "madeAt", kid`;
