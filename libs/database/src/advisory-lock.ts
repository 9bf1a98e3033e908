import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { advisoryKey } from './advisory-key.ts';
import type { Database } from './database.ts';
import { endClient } from './end-client.ts';

const tryEveryMs = 250;
const pingEveryMs = 1_000;

/**
 * Leadership among the replicas of a service: whoever holds a session lock of Postgres. The lock falls with its
 * connection, so a leader that was cut off may run on for a moment beside its successor: what it does must be harmless
 * then (a mark that only rises, a compare-and-set).
 */
export class AdvisoryLock {
  /**
   * Runs `body` whenever this process leads, until `signal` aborts. The body's own signal aborts when the leadership is
   * lost or `signal` aborts; it must then return. Returns after `signal` aborts; rejects with what the body threw.
   *
   * @param beat called at least twice a second while waiting for the leadership
   */
  static async lead(
    database: Database,
    key: string,
    signal: AbortSignal,
    body: (signal: AbortSignal) => Promise<void>,
    beat: () => void = () => undefined,
  ): Promise<void> {
    while (!signal.aborted) {
      beat();
      // oxlint-disable-next-line no-await-in-loop -- one term after the other
      await leadOnce({ database, key: advisoryKey(`${database.schema}:${key}`), signal, body, beat });
      // oxlint-disable-next-line no-await-in-loop
      if (!signal.aborted) await sleep(tryEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

interface Term {
  database: Database;
  key: string;
  signal: AbortSignal;
  body: (signal: AbortSignal) => Promise<void>;
  beat: () => void;
}

/** From connecting to losing the connection; returns when there is nothing more to do on it. */
async function leadOnce({ database, key, signal, body, beat }: Term): Promise<void> {
  const client = await database.dedicatedClient().catch(() => undefined);
  if (client === undefined) return;
  const lost = new AbortController();
  const onLost = () => lost.abort(new Error('the connection that holds the lock is gone'));
  client.on('error', onLost);
  client.on('end', onLost);
  const both = AbortSignal.any([signal, lost.signal]);
  try {
    if (!(await takeLock(client, { key, signal: both, beat }))) return;
    const pinging = keepPinging(client, both, onLost);
    try {
      await body(both);
    } catch (error) {
      if (!both.aborted) throw error;
    } finally {
      onLost();
      await pinging;
    }
  } finally {
    await endClient(client);
  }
}

async function takeLock(
  client: pg.Client,
  { key, signal, beat }: { key: string; signal: AbortSignal; beat: () => void },
): Promise<boolean> {
  while (!signal.aborted) {
    beat();
    // oxlint-disable-next-line no-await-in-loop -- polling
    const held = await client
      .query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [key])
      .then(({ rows }) => rows[0]?.held === true)
      .catch(() => undefined);
    if (held === undefined) return false;
    if (held) return true;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(tryEveryMs, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

/** A server that vanished without closing the connection is noticed by its silence. */
async function keepPinging(client: pg.Client, signal: AbortSignal, onLost: () => void): Promise<void> {
  while (!signal.aborted) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- a beat a second
      await sleep(pingEveryMs, undefined, { signal });
      // oxlint-disable-next-line no-await-in-loop
      await client.query('SELECT 1');
    } catch {
      onLost();
    }
  }
}
