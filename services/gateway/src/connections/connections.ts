import { limits } from '@boardwire/contracts';
import type { Transport } from '../metrics.ts';
import { isPublisher, type Access } from '../rights/access.ts';
import { Deadlines } from './deadlines.ts';
import type { EndReason, OpenConnection } from './open-connection.ts';

/** How often connections are looked at whose time runs out. */
const sweepMs = 250;
/** Who connects has so long to say who it is. */
const namedWithinMs = 10_000;

/**
 * Every open connection of this pod, found by session, by user and by the second in which its token runs out.
 * A connection enters and leaves each list exactly once, however it ends.
 */
export class Connections {
  readonly #all = new Set<OpenConnection>();
  readonly #bySession = new Map<string, Set<OpenConnection>>();
  readonly #byUser = new Map<string, number>();
  readonly #byExpiry = new Map<number, Set<OpenConnection>>();
  readonly #filed = new Map<OpenConnection, Access>();
  readonly #nameless = new Deadlines<OpenConnection>(namedWithinMs);
  #sweeper: NodeJS.Timeout | undefined;

  get size(): number {
    return this.#all.size;
  }

  all(): Iterable<OpenConnection> {
    return this.#all;
  }

  count(): Record<Transport, number> {
    const count = { sse: 0, ws: 0, dialect: 0 };
    for (const connection of this.#all) count[connection.transport] += 1;
    return count;
  }

  outbox(): { bytes: number; events: number } {
    const sum = { bytes: 0, events: 0 };
    for (const { outbox } of this.#all) {
      sum.bytes += outbox.waitingBytes;
      sum.events += outbox.waitingEvents;
    }
    return sum;
  }

  /** Whether a user has as many connections as one may. */
  isFull(access: Access): boolean {
    const max = isPublisher(access) ? limits.connectionsPerPublisherMax : limits.connectionsPerUserMax;
    return (this.#byUser.get(access.userId) ?? 0) >= max;
  }

  add(connection: OpenConnection): void {
    this.#all.add(connection);
    if (connection.access === undefined) this.#nameless.set(connection);
    else this.authenticated(connection, connection.access);
  }

  /** A connection has a token, or a newer one. */
  authenticated(connection: OpenConnection, access: Access): void {
    this.#unfile(connection);
    this.#nameless.delete(connection);
    if (!this.#all.has(connection)) return;
    this.#filed.set(connection, access);
    put(this.#bySession, access.sessionId, connection);
    put(this.#byExpiry, expirySlot(access), connection);
    this.#byUser.set(access.userId, (this.#byUser.get(access.userId) ?? 0) + 1);
  }

  /** @returns false when it had left before. */
  remove(connection: OpenConnection): boolean {
    this.#unfile(connection);
    this.#nameless.delete(connection);
    return this.#all.delete(connection);
  }

  endSession(sessionId: string): void {
    for (const connection of this.#bySession.get(sessionId) ?? []) connection.end('revoked');
  }

  endAll(reason: EndReason): void {
    for (const connection of this.#all) connection.end(reason);
  }

  start(): void {
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs).unref();
  }

  stop(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #sweep(): void {
    this.#endExpired();
    for (const connection of this.#nameless.takeLate()) connection.end('nameless');
  }

  #endExpired(): void {
    const now = Date.now();
    for (const [second, connections] of this.#byExpiry) {
      if (second * 1_000 > now) continue;
      for (const connection of connections) connection.end('revoked');
    }
  }

  #unfile(connection: OpenConnection): void {
    const access = this.#filed.get(connection);
    if (access === undefined) return;
    this.#filed.delete(connection);
    take(this.#bySession, access.sessionId, connection);
    take(this.#byExpiry, expirySlot(access), connection);
    const left = (this.#byUser.get(access.userId) ?? 1) - 1;
    if (left > 0) this.#byUser.set(access.userId, left);
    else this.#byUser.delete(access.userId);
  }
}

/** The `exp` claim counts whole seconds. */
function expirySlot(access: Access): number {
  return Math.ceil(access.expiresMs / 1_000);
}

function put<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([value]));
  else set.add(value);
}

function take<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key);
  if (set?.delete(value) === true && set.size === 0) map.delete(key);
}
