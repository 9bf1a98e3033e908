import type { Revocation } from '@boardwire/contracts';
import type { ChangeClock } from '../boards/change-clock.ts';
import type { ControlBook, ControlRow } from '../control/control-feed.ts';

interface KnownRevocation extends Revocation {
  changedAt: number;
}

/** Ended sessions, kept in memory as long as a token of theirs could still be shown. */
export class Revocations implements ControlBook {
  readonly kind = 'session_revoked';
  readonly #clock: ChangeClock;
  #known: KnownRevocation[] = [];

  constructor(clock: ChangeClock) {
    this.#clock = clock;
  }

  since(moment: number): Revocation[] {
    return this.#known
      .filter(({ changedAt }) => changedAt > moment)
      .map(({ sessionId, userId, at }) => ({ sessionId, userId, at }));
  }

  take(rows: readonly ControlRow[]): void {
    for (const { sessionId, accountId, at } of rows) {
      if (sessionId === null || accountId === null) throw new Error('a revocation names no session');
      const changedAt = this.#clock.tick();
      this.#known.push({ sessionId, userId: accountId, at: at.toISOString(), changedAt });
    }
  }

  prune(oldestMs: number): void {
    this.#known = this.#known.filter(({ at }) => Date.parse(at) > oldestMs);
  }
}
