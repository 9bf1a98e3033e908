import type { Queryable } from '@boardwire/database';

/** Runs statements of a transaction as the one role that may forget; undefined: the service owns its tables itself. */
export async function asRetention<T>(
  transaction: Queryable,
  role: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (role === undefined) return work();
  await transaction.query(`SET LOCAL ROLE "${role.replaceAll('"', '""')}"`);
  const result = await work();
  await transaction.query('RESET ROLE');
  return result;
}
