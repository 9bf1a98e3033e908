import type { Database } from '@boardwire/database';
import type { VerifyingKey } from '@boardwire/signing';
import { lockIdentity } from './identity-store.ts';

/**
 * Event keys that this site had and has forgotten, with their private halves: nothing is signed with them any more, and
 * the document's next version names them again, for what they have signed.
 */
export function keepFormerEventKeys(database: Database, keys: ReadonlyMap<string, VerifyingKey>): Promise<void> {
  return database.transaction(async (transaction) => {
    // Or a key that another replica is just taking up would pass as a former one.
    await lockIdentity(transaction);
    await transaction.query(
      `INSERT INTO site_key (kid, use, public, sealed, retired_at)
       SELECT kid, 'event', public, '', now() FROM unnest($1::text[], $2::bytea[]) AS told (kid, public)
       WHERE kid NOT IN (SELECT kid FROM next_site_key) ON CONFLICT DO NOTHING`,
      [[...keys.keys()], [...keys.values()].map(({ publicKey }) => publicKey)],
    );
  });
}
