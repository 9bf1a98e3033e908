import { isConnectionError, type Database } from '@boardwire/database';
import type { Logger, Loop } from '@boardwire/service-kit';
import type { SessionStore } from '../accounts/session-store.ts';

const everyMs = 10 * 60_000;

/** A supervised loop: removes what nobody can need any more, in small portions. */
export async function housekeep(
  { database, sessions, logger }: { database: Database; sessions: SessionStore; logger: Logger },
  loop: Loop,
): Promise<void> {
  while (!loop.signal.aborted) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- now and then
      await sessions.forgetOld(database);
    } catch (error) {
      if (!isConnectionError(error)) logger.error({ event: 'housekeeping.failed', err: error });
    }
    // oxlint-disable-next-line no-await-in-loop
    await loop.idle(everyMs);
  }
}
