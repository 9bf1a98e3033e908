import type { Logger } from '@boardwire/service-kit';
import { randomBytes } from 'node:crypto';
import type { GatewayMetrics, SlowCut } from '../metrics.ts';
import type { Connections } from './connections.ts';
import type { OpenConnection } from './open-connection.ts';
import type { Wheel } from './wheel.ts';

export interface ConnectionDeskOptions {
  connections: Connections;
  heartbeats: Wheel<OpenConnection>;
  metrics: GatewayMetrics;
  logger: Logger;
}

/** Signs connections in and out: every list they stand in, the metric and the log line, in one place. */
export class ConnectionDesk {
  readonly connections: Connections;
  readonly #options: ConnectionDeskOptions;
  readonly #pod = randomBytes(6).toString('base64url');
  #count = 0;
  #isClosed = false;

  constructor(options: ConnectionDeskOptions) {
    this.connections = options.connections;
    this.#options = options;
  }

  /** Whether the drain has begun: who comes now is sent elsewhere. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
  }

  nextNumber(): number {
    return (this.#count += 1);
  }

  /** The name of a connection in logs and for its client. Made when asked for: text of its own for each would be kept. */
  idOf({ number }: OpenConnection): string {
    return `${this.#pod}.${number}`;
  }

  /** A socket that could not take everything has drained; the same function for all of them. */
  readonly drained = (seconds: number): void => this.#options.metrics.queueWait('outbox', seconds);

  cutSlow(connection: OpenConnection, why: SlowCut): void {
    this.#options.metrics.slowCut(why);
    connection.end('slow');
  }

  signIn(connection: OpenConnection): void {
    this.connections.add(connection);
    this.#options.heartbeats.add(connection);
  }

  /** Once, however often it is asked; `code` is why it ended, from a small set. */
  signOut(connection: OpenConnection, code: string): void {
    if (!this.connections.remove(connection)) return;
    const { heartbeats, metrics, logger } = this.#options;
    heartbeats.remove(connection);
    const { transport, access, openedAt } = connection;
    metrics.closed(transport, code);
    const seconds = Math.round((performance.now() - openedAt) / 100) / 10;
    const id = this.idOf(connection);
    logger.info({ event: 'connection.closed', transport, connection: id, code, user: access?.userId, seconds });
  }
}
