import { missingMigrations, openDatabase } from '@boardwire/database';
import { createLogger, type Environment } from '@boardwire/service-kit';
import { rotateSigningKey, type RotatedSigningKey } from '../accounts/rotate-signing-key.ts';
import { readChatConfig } from '../config.ts';
import { migrations } from '../migrations/migrations.ts';

export interface RotateTokenKeyOptions {
  /** So long the new key verifies before it signs. At 0 the former one verifies no more either. */
  signAfterMs: number;
  /** Only looks. */
  isDryRun: boolean;
  signal?: AbortSignal;
}

export interface TokenKey {
  kid: string;
  madeAt: Date;
  state: 'in_force' | 'next';
  /** Of a next key. */
  signsFrom: Date | null;
}

export interface TokenKeys {
  keys: TokenKey[];
  rotated: RotatedSigningKey | undefined;
}

/**
 * Makes a new key for access tokens, which every replica takes up by itself. All or nothing, in one transaction.
 *
 * @param env of the chat service
 * @throws Error when there is nothing to rotate, the key can't be opened, or a rotation is under way
 */
export async function rotateTokenKey(
  env: Environment,
  { isDryRun, ...options }: RotateTokenKeyOptions,
): Promise<TokenKeys> {
  const { DATABASE_URL: url, INTERNAL_SECRET: secret } = readChatConfig(env);
  const logger = createLogger({ service: 'operator', level: 'silent' });
  const place = { url, schema: 'chat' };
  const database = await openDatabase({ ...place, migrations: [], waitMs: 0, poolMax: 2, logger });
  try {
    if ((await missingMigrations({ ...place, migrations })).length > 0) {
      throw new Error('chat of this version has never started here: its migrations come first');
    }
    const rotated = isDryRun ? undefined : await rotateSigningKey(database, { secret, ...options });
    return { keys: await database.query<TokenKey>(allKeys), rotated };
  } finally {
    await database.close();
  }
}

const allKeys = `
  SELECT kid, created_at AS "madeAt", 'in_force' AS state, NULL::timestamptz AS "signsFrom"
  FROM signing_key WHERE retired_at IS NULL
  UNION ALL SELECT kid, created_at, 'next', signs_from FROM next_signing_key ORDER BY "madeAt"`;
