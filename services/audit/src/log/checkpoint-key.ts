import type { Database } from '@boardwire/database';
import {
  auditLogOrigin,
  generateSigningKey,
  importSigningKey,
  logIdOf,
  noteSigner,
  type NoteSigner,
  type SigningKey,
} from '@boardwire/signing';

/** The key that signs checkpoints and nothing else. */
export interface CheckpointKey {
  key: SigningKey;
  /** Names the log for as long as it has this key. */
  logId: string;
}

/** The configured key, else the one of the schema, which is made at the first start. */
export async function loadCheckpointKey(database: Database, configured: string | undefined): Promise<CheckpointKey> {
  const key =
    configured === undefined ? await storedKey(database) : importSigningKey(Buffer.from(configured, 'base64url'));
  return { key, logId: logIdOf(key.publicKey) };
}

export const logOrigin = ({ key }: CheckpointKey, epoch: string) => auditLogOrigin(key.publicKey, epoch);

/** The signer of one epoch of the log. */
export function logSigner(key: CheckpointKey, epoch: string): NoteSigner {
  return noteSigner(logOrigin(key, epoch), key.key);
}

async function storedKey(database: Database): Promise<SigningKey> {
  await database.query('INSERT INTO checkpoint_key (seed) VALUES ($1) ON CONFLICT (is_only) DO NOTHING', [
    generateSigningKey().exportSeed(),
  ]);
  const [row] = await database.query<{ seed: Buffer }>('SELECT seed FROM checkpoint_key');
  return importSigningKey(row!.seed);
}
