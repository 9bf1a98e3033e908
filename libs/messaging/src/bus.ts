import { AckedPublisher, type AckedPublisherOptions } from './acked-publisher.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { DurableStream, type DurableConsumption, type DurableConsumptionOptions } from './durable-consumption.ts';
import { encodedHeaders } from './encoded-headers.ts';
import { ReceivedMessage, type BusMessage } from './message.ts';
import { OrderedStream, type OrderedConsumption, type OrderedConsumptionOptions } from './ordered-consumption.ts';
import { StreamAdmin } from './stream-admin.ts';

/**
 * The one door to NATS. Nothing here ever needs its caller to reconnect: subscriptions and consumptions go on after
 * every break by themselves, publications fail promptly while there is no connection.
 */
export class Bus {
  readonly streams: StreamAdmin;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.streams = new StreamAdmin(connection);
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  /** `[major, minor]` of the server last seen. */
  get serverVersion(): [number, number] | undefined {
    return this.#connection.serverVersion;
  }

  /** Core messages that were not sent because there was no connection. */
  get dropped(): number {
    return this.#connection.dropped;
  }

  /** Tells every change of {@link connected}; returns what ends that. */
  onStatus(listener: (connected: boolean) => void): () => void {
    return this.#connection.onStatus(listener);
  }

  /** Resolves when connected, or when the signal aborts. */
  whenConnected(signal: AbortSignal): Promise<void> {
    return this.#connection.whenConnected(signal);
  }

  /** Core NATS: to whoever listens now, without acknowledgement. Dropped and counted while disconnected. */
  publish(subject: string, payload: Uint8Array | string = '', headers?: Record<string, string>): void {
    try {
      const client = this.#connection.client;
      if (client === undefined) this.#connection.dropped += 1;
      else if (headers === undefined) client.publish(subject, payload);
      else client.publish(subject, payload, { headers: encodedHeaders(headers) });
    } catch (error) {
      this.#connection.dropped += 1;
      this.#connection.logger.warn({ event: 'nats.publish_failed', err: error, subject });
    }
  }

  /** Core NATS. An exception of the handler is logged and goes no further. */
  subscribe(subject: string, handler: (message: BusMessage) => void): { unsubscribe(): void } {
    return this.#connection.subscribe(subject, (message) => handler(new ReceivedMessage(message)));
  }

  publisher(options: AckedPublisherOptions): AckedPublisher {
    return new AckedPublisher(this.#connection, options);
  }

  consumeOrdered(options: OrderedConsumptionOptions): OrderedConsumption {
    return new OrderedStream(this.#connection, options);
  }

  consumeDurable(options: DurableConsumptionOptions): DurableConsumption {
    return new DurableStream(this.#connection, options);
  }

  /** Flushes what was published, for at most a second, and ends the connection. Close consumptions first. */
  close(): Promise<void> {
    return this.#connection.close();
  }
}

const firstConnectionMs = 500;

/**
 * Makes the connection in the background and remakes it for ever. Resolves when it is up, and after half a second all
 * the same: a service starts without NATS.
 */
export async function connectBus(options: ConnectionOptions): Promise<Bus> {
  const connection = new Connection(options);
  connection.start();
  await connection.whenConnected(AbortSignal.timeout(firstConnectionMs));
  return new Bus(connection);
}
