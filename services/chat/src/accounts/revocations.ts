import type { Revocation } from '@boardwire/contracts';
import { isConnectionError, type Database } from '@boardwire/database';
import { AppError, type Loop } from '@boardwire/service-kit';
import type { BoardWatch } from '../boards/board-watch.ts';
import type { ChangeClock } from '../boards/change-clock.ts';
import { bounds } from '../bounds.ts';

interface KnownRevocation extends Revocation {
  changedAt: number;
}

interface ControlRow {
  version: number;
  kind: 'session_revoked' | 'board_changed';
  sessionId: string | null;
  accountId: string | null;
  at: Date;
}

const pruneEveryMs = 60_000;

/**
 * Follows the rows by which rights change, in the order of their versions: ended sessions, changed boards. Kept in
 * memory as long as a token could still need them.
 */
export class Revocations {
  #known: KnownRevocation[] = [];
  #version = 0;
  #prunedMs = 0;
  #wake: (() => void) | undefined;

  constructor(
    private readonly database: Database,
    private readonly clock: ChangeClock,
    private readonly boards: BoardWatch,
  ) {}

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- polling
        await this.#look();
      } catch (error) {
        if (!isConnectionError(error)) throw error;
      }
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(bounds.watchEveryMs, woken);
    }
  }

  /** Looks again now rather than in a moment. */
  poke(): void {
    this.#wake?.();
  }

  since(moment: number): Revocation[] {
    return this.#known
      .filter(({ changedAt }) => changedAt > moment)
      .map(({ sessionId, userId, at }) => ({ sessionId, userId, at }));
  }

  async #look(): Promise<void> {
    const rows = await this.database.prepared<ControlRow>(newer, [this.#version, bounds.controlKeptMs / 1_000]);
    let isBoardChanged = false;
    for (const row of rows) {
      this.#version = row.version;
      if (row.kind === 'board_changed') isBoardChanged = true;
      else this.#add(row);
    }
    if (isBoardChanged) await this.boards.refresh();
    if (rows.length > 0) this.clock.release();
    await this.#prune();
  }

  #add({ sessionId, accountId, at }: ControlRow): void {
    if (sessionId === null || accountId === null) throw new Error('a revocation names no session');
    const changedAt = this.clock.tick();
    this.#known.push({ sessionId, userId: accountId, at: at.toISOString(), changedAt });
  }

  async #prune(): Promise<void> {
    if (performance.now() - this.#prunedMs < pruneEveryMs) return;
    this.#prunedMs = performance.now();
    const oldest = Date.now() - bounds.controlKeptMs;
    this.#known = this.#known.filter(({ at }) => Date.parse(at) > oldest);
    await this.database.query("DELETE FROM control_change WHERE at < now() - $1 * interval '1 second'", [
      (2 * bounds.controlKeptMs) / 1_000,
    ]);
  }
}

/** A database without the rows we know of was restored from a backup: what it holds is read from the start. */
const newer = {
  name: 'control_changes',
  sql: `
    SELECT version, kind, session_id AS "sessionId", account_id AS "accountId", at FROM control_change
    WHERE version > CASE WHEN $1 > (SELECT control_version FROM site) THEN 0 ELSE $1 END
      AND at > now() - $2 * interval '1 second'
    ORDER BY version LIMIT 1000`,
  timeoutMs: 2_000,
};

/** What `/sync` may be answered from: an old picture would hide revocations. */
export function assertFresh(boards: BoardWatch): void {
  if (boards.ageMs === Infinity) throw new AppError('starting');
  if (boards.ageMs > 3_000) throw new AppError('database_unavailable', { detail: 'the boards are not known any more' });
}
