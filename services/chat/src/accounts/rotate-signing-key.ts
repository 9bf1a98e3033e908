import { DecisionOutbox, type Database, type Queryable } from '@boardwire/database';
import { SigningKeyVault, type SealedSigningKey } from './signing-key-vault.ts';

export interface RotatedSigningKey {
  from: string;
  to: string;
  signsFrom: Date;
}

/** A key whose time has come signs from now on. One that was to sign at once leaves the former one nothing to verify. */
export async function settleSigningKeys(transaction: Queryable): Promise<void> {
  await lock(transaction);
  await transaction.query(
    `UPDATE signing_key SET retired_at = now(), sealed_private_key = '',
       verifies_until = CASE WHEN next.signs_from = next.created_at THEN now() END
     FROM next_signing_key AS next WHERE retired_at IS NULL AND next.signs_from <= now()`,
  );
  await transaction.query(
    `INSERT INTO signing_key (kid, public_key, sealed_private_key, created_at)
     SELECT kid, public_key, sealed_private_key, created_at FROM next_signing_key WHERE signs_from <= now()`,
  );
  await transaction.query('DELETE FROM next_signing_key WHERE signs_from <= now()');
}

/** @throws Error when there is no key yet, it was sealed with another secret, or a new one waits already */
export function rotateSigningKey(
  database: Database,
  { secret, signAfterMs, signal }: { secret: string; signAfterMs: number; signal?: AbortSignal | undefined },
): Promise<RotatedSigningKey> {
  const vault = new SigningKeyVault(secret);
  return database.transaction(async (transaction) => {
    await settleSigningKeys(transaction);
    const from = await openedKey(transaction, vault);
    const [waiting] = await transaction.query<{ kid: string; signs_from: Date }>('SELECT * FROM next_signing_key');
    if (waiting !== undefined) {
      const when = waiting.signs_from.toISOString();
      throw new Error(`a new key of tokens waits already: ${waiting.kid} signs from ${when}`);
    }
    const made = await vault.make();
    const [next] = await transaction.query<{ signs_from: Date }>(
      `INSERT INTO next_signing_key (kid, public_key, sealed_private_key, signs_from)
       VALUES ($1, $2, $3, now() + $4 * interval '1 millisecond') RETURNING signs_from`,
      [made.kid, made.public_key, made.sealed_private_key, signAfterMs],
    );
    await settleSigningKeys(transaction);
    const rotated = { from, to: made.kid, signsFrom: next!.signs_from };
    const detail = { ...rotated, signsFrom: rotated.signsFrom.toISOString() };
    const decision = { action: 'account.keys.rotate', outcome: 'done' as const, actor: 'operator', detail };
    await new DecisionOutbox(database).add(transaction, decision);
    // Last, so that whoever has had enough leaves everything as it was.
    if (signal?.aborted === true) throw new Error('interrupted; nothing was changed');
    return rotated;
  });
}

/** Of the key in force, which has to open: chat must be able to open the new one. */
async function openedKey(transaction: Queryable, vault: SigningKeyVault): Promise<string> {
  const [row] = await transaction.query<SealedSigningKey>('SELECT * FROM signing_key WHERE retired_at IS NULL');
  if (row === undefined) throw new Error('there is no key of tokens yet: chat makes it when somebody first signs in');
  if (vault.open(row) === undefined) throw new Error('the key of tokens was sealed under another INTERNAL_SECRET');
  return row.kid;
}

/** Until the transaction ends: replicas that notice at once must not both put the new key in its place. */
async function lock(transaction: Queryable): Promise<void> {
  await transaction.query(`SELECT pg_advisory_xact_lock(hashtextextended('chat.signing_key', 0))`);
}
