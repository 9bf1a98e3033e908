import { connect, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { BusLogger } from './logger.ts';

export interface ConnectionOptions {
  url: string;
  token?: string | undefined;
  /** Shown by the server's monitoring. */
  name: string;
  logger: BusLogger;
  /** Servers that keep each stream which is made here; without it, what its definition says. */
  streamReplicas?: number | undefined;
}

const reconnectWaitMs = 250;
const dialTimeoutMs = 2_000;
const apiTimeoutMs = 2_000;
const drainMsMax = 1_000;

/** A subscription that outlives every connection. */
interface Standing {
  subject: string;
  handler: (message: Msg) => void;
  live: Subscription | undefined;
}

/**
 * One connection to NATS for the life of the process. It starts without a server, comes back by itself after every
 * break, and takes up its subscriptions again even when the client library has given its connection up.
 */
export class Connection {
  #client: NatsConnection | undefined;
  #manager: Promise<JetStreamManager> | undefined;
  #connected = false;
  readonly #closing = new AbortController();
  readonly #standing = new Set<Standing>();
  readonly #listeners = new Set<(connected: boolean) => void>();
  #keeper: Promise<void> = Promise.resolve();
  /** Core messages that were not sent because there was no connection. */
  dropped = 0;

  constructor(private readonly options: ConnectionOptions) {}

  start(): void {
    this.#keeper = this.#keepConnected();
  }

  get connected(): boolean {
    return this.#connected;
  }

  get streamReplicas(): number | undefined {
    return this.options.streamReplicas;
  }

  get logger(): BusLogger {
    return this.options.logger;
  }

  /** The client while connected. */
  get client(): NatsConnection | undefined {
    return this.#connected ? this.#client : undefined;
  }

  /** `[major, minor]` of the server last seen. */
  get serverVersion(): [number, number] | undefined {
    const version = /^(\d+)\.(\d+)/.exec(this.#client?.info?.version ?? '');
    return version === null ? undefined : [Number(version[1]), Number(version[2])];
  }

  /** The JetStream API; throws when there is no connection. */
  async manager(): Promise<JetStreamManager> {
    const client = this.client;
    if (client === undefined) throw new NotConnected();
    return (this.#manager ??= jetstreamManager(client, { checkAPI: false, timeout: apiTimeoutMs }));
  }

  onStatus(listener: (connected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when connected, or when the signal aborts. */
  async whenConnected(signal: AbortSignal): Promise<void> {
    if (this.#connected || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const finish = () => {
        stopListening();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const stopListening = this.onStatus((connected) => connected && finish());
      signal.addEventListener('abort', finish);
    });
  }

  subscribe(subject: string, handler: (message: Msg) => void): { unsubscribe(): void } {
    const standing: Standing = { subject, handler, live: undefined };
    this.#standing.add(standing);
    if (this.#client !== undefined && !this.#client.isClosed()) this.#attach(standing, this.#client);
    return {
      unsubscribe: () => {
        this.#standing.delete(standing);
        if (this.#client?.isClosed() === false) standing.live?.unsubscribe();
      },
    };
  }

  /** Flushes what was published, for at most a second, and ends the connection. */
  async close(): Promise<void> {
    this.#closing.abort();
    const client = this.#client;
    if (client !== undefined && !client.isClosed()) {
      if (this.#connected) await bounded(client.drain(), drainMsMax);
      await bounded(client.close(), drainMsMax);
    }
    await bounded(this.#keeper, dialTimeoutMs);
    this.#setConnected(false);
    this.#listeners.clear();
  }

  async #keepConnected(): Promise<void> {
    const { url, token, name, logger } = this.options;
    for (let failures = 0; !this.#closing.signal.aborted;) {
      try {
        const client = await connect({
          servers: url.split(','),
          name,
          ...(token === undefined ? {} : { token }),
          maxReconnectAttempts: -1,
          reconnectTimeWait: reconnectWaitMs,
          pingInterval: 10_000,
          timeout: dialTimeoutMs,
          ignoreAuthErrorAbort: true,
          noAsyncTraces: true,
        });
        failures = 0;
        await this.#follow(client);
        await pause(reconnectWaitMs, this.#closing.signal);
      } catch (error) {
        failures += 1;
        if (failures === 1) logger.warn({ event: 'nats.unreachable', err: error, url: withoutSecrets(url) });
        await pause(reconnectWaitMs * (0.8 + Math.random() * 0.4), this.#closing.signal);
      }
    }
  }

  /** Lives as long as the client does: through all of its own reconnects. */
  async #follow(client: NatsConnection): Promise<void> {
    if (this.#closing.signal.aborted) return client.close();
    this.#client = client;
    this.#manager = undefined;
    for (const standing of this.#standing) this.#attach(standing, client);
    this.#greet();
    this.#setConnected(true);
    for await (const status of client.status()) {
      if (status.type === 'disconnect') this.#setConnected(false);
      if (status.type === 'reconnect') {
        this.#greet();
        this.#setConnected(true);
      }
      if (status.type === 'error') this.logger.warn({ event: 'nats.error', err: status.error });
    }
    await client.closed();
    this.#setConnected(false);
  }

  #greet(): void {
    const version = this.#client?.info?.version;
    const [major, minor] = this.serverVersion ?? [0, 0];
    if (major < 2 || (major === 2 && minor < 10)) this.logger.warn({ event: 'nats.server_older_than_2_10', version });
    else this.logger.info({ event: 'nats.connected', version });
  }

  #attach(standing: Standing, client: NatsConnection): void {
    standing.live = client.subscribe(standing.subject, {
      callback: (error, message) => {
        if (error !== null)
          return this.logger.error({ event: 'nats.subscription_failed', err: error, subject: standing.subject });
        // An exception here would end the client's reader and with it every subscription.
        try {
          standing.handler(message);
        } catch (cause) {
          this.logger.error({ event: 'nats.handler_failed', err: cause, subject: standing.subject });
        }
      },
    });
  }

  #setConnected(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    if (!connected && !this.#closing.signal.aborted) this.logger.warn({ event: 'nats.disconnected' });
    for (const listener of this.#listeners) listener(connected);
  }
}

export class NotConnected extends Error {
  override readonly name = 'NotConnected';
  constructor() {
    super('not connected to NATS');
  }
}

/** Waits, or less when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
  });
}

async function bounded(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  // What fails while closing was lost with the connection; nothing is left to do about it.
  await Promise.race([work.catch(() => undefined), limit]);
  clearTimeout(timer);
}

function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
