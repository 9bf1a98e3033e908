import { isConnectionError, type Database } from '@boardwire/database';
import type { Logger, Loop } from '@boardwire/service-kit';
import type { SessionStore } from '../accounts/session-store.ts';
import type { TicketStore } from '../tickets/ticket-store.ts';
import type { DeletedBoards } from '../boards/deleted-boards.ts';
import type { Removals } from '../log/removals.ts';

const sessionsEveryMs = 10 * 60_000;
const everyMs = 5_000;

/** A supervised loop: removes what nobody can need any more, in small portions. */
export async function housekeep(
  { database, sessions, tickets, deleted, removals, logger }: Housekeeping,
  loop: Loop,
): Promise<void> {
  let sessionsAt = 0;
  while (!loop.signal.aborted) {
    try {
      if (performance.now() >= sessionsAt) {
        // oxlint-disable-next-line no-await-in-loop -- now and then
        await sessions.forgetOld(database);
        sessionsAt = performance.now() + sessionsEveryMs;
      }
      // oxlint-disable-next-line no-await-in-loop
      await removals.clearMirror();
      // oxlint-disable-next-line no-await-in-loop
      await removals.tellReaders();
      // oxlint-disable-next-line no-await-in-loop -- portion by portion
      while (!loop.signal.aborted && (await tickets.forgetDead(database))) loop.beat();
      // oxlint-disable-next-line no-await-in-loop
      while (!loop.signal.aborted && (await deleted.clear())) loop.beat();
    } catch (error) {
      if (!isConnectionError(error)) logger.error({ event: 'housekeeping.failed', err: error });
    }
    // oxlint-disable-next-line no-await-in-loop
    await loop.idle(everyMs);
  }
}

interface Housekeeping {
  database: Database;
  sessions: SessionStore;
  tickets: TicketStore;
  deleted: DeletedBoards;
  removals: Removals;
  logger: Logger;
}
