import { createHash } from 'node:crypto';
import type { Database } from '@boardwire/database';
import {
  encodeBase32,
  generateSigningKey,
  importSigningKey,
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
  const logId = encodeBase32(createHash('sha256').update(key.publicKey).digest()).slice(0, 16);
  return { key, logId };
}

export const logOrigin = ({ logId }: CheckpointKey, epoch: string) => `boardwire/audit/${logId}/${epoch}`;

/**
 * The signer of one epoch of the log. The epoch is part of the origin: a log that had to start over signs under another
 * name, so that it can't be taken for a fork of the former.
 */
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
