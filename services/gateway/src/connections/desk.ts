import type { Logger } from '@boardwire/service-kit';
import type { GatewayMetrics } from '../metrics.ts';
import type { Connections } from './connections.ts';
import type { Wheel } from './wheel.ts';
import type { OpenConnection } from './open-connection.ts';

/** Signs connections in and out: every list they stand in, the metric and the log line, in one place. */
export class ConnectionDesk {
  readonly connections: Connections;
  readonly #heartbeats: Wheel<OpenConnection>;
  readonly #metrics: GatewayMetrics;
  readonly #logger: Logger;

  constructor(options: {
    connections: Connections;
    heartbeats: Wheel<OpenConnection>;
    metrics: GatewayMetrics;
    logger: Logger;
  }) {
    this.connections = options.connections;
    this.#heartbeats = options.heartbeats;
    this.#metrics = options.metrics;
    this.#logger = options.logger;
  }

  /** @returns what signs it out, once; `code` is why it ended, from a small set. */
  signIn(connection: OpenConnection): (code: string) => void {
    const openedAt = performance.now();
    let isIn = true;
    this.connections.add(connection);
    this.#heartbeats.add(connection);
    return (code) => {
      if (!isIn) return;
      isIn = false;
      this.connections.remove(connection);
      this.#heartbeats.remove(connection);
      const { transport, id, access } = connection;
      this.#metrics.closed(transport, code);
      const seconds = Math.round((performance.now() - openedAt) / 100) / 10;
      this.#logger.info({ event: 'connection.closed', transport, connection: id, code, user: access?.userId, seconds });
    };
  }
}
