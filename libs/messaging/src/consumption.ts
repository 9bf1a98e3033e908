import type { JetStreamManager } from '@nats-io/jetstream';
import { pause, type Connection } from './connection.ts';
import type { StreamMessage } from './message.ts';
import { PullSession } from './pull-session.ts';

/** A consumer on the server that a session can pull from. */
export interface Attachment {
  consumer: string;
  /** Names the incarnation of the stream. */
  incarnation: string;
}

export interface ConsumptionPlan {
  stream: string;
  window: number;
  /** Finds or makes the consumer for the next session; throws when that is not possible now. */
  attach(manager: JetStreamManager): Promise<Attachment>;
  /** Throws when the message can't be the next one. */
  onMessage(message: StreamMessage): void;
  onInterrupted?: ((reason: string) => void) | undefined;
}

const retryMsMin = 50;
const retryMsMax = 1_000;

/**
 * Keeps a {@link PullSession} running for as long as it is open: after a break, a server's restart or a stream's
 * recreation the next session starts from what the plan's `attach` says.
 */
export class Consumption {
  readonly #closing = new AbortController();
  readonly #keeper: Promise<void>;
  #session: PullSession | undefined;
  #breakSession: (reason: string) => void = () => {};
  #pending = 0;
  #received = 0;

  constructor(
    private readonly connection: Connection,
    private readonly plan: ConsumptionPlan,
  ) {
    this.#keeper = this.#keepConsuming();
  }

  /** Messages of the stream that wait behind the last delivered one. */
  get pending(): number {
    return this.#pending;
  }

  /** Whether a session is up now. */
  get isAttached(): boolean {
    return this.#session !== undefined;
  }

  /** Gives the present session up and attaches anew. */
  restart(reason = 'restart'): void {
    this.#breakSession(reason);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#breakSession('closed');
    await this.#keeper;
  }

  async #keepConsuming(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted;) {
      await this.connection.whenConnected(signal);
      if (signal.aborted) return;
      const before = this.#received;
      const reason = await this.#consumeOnce().catch((error: unknown) => (error as Error).message);
      if (signal.aborted) return;
      if (failures === 0 || this.#received > before) {
        this.connection.logger.warn({ event: 'nats.consumption_interrupted', stream: this.plan.stream, reason });
      }
      failures = this.#received > before ? 0 : failures + 1;
      this.plan.onInterrupted?.(reason);
      await pause(Math.min(retryMsMax, retryMsMin * 2 ** failures) * (0.75 + Math.random() / 2), signal);
    }
  }

  /** One session from start to end; resolves with the reason why it ended. */
  async #consumeOnce(): Promise<string> {
    const { plan, connection } = this;
    const attachment = await plan.attach(await connection.manager());
    const client = connection.client;
    if (client === undefined) return 'disconnected';
    if (this.#closing.signal.aborted) return 'closed';
    const ended = new Promise<string>((resolve) => (this.#breakSession = resolve));
    const stopListening = connection.onStatus((connected) => connected || this.#breakSession('disconnected'));
    this.#session = new PullSession({
      client,
      stream: plan.stream,
      ...attachment,
      window: plan.window,
      onMessage: (message) => this.#receive(message),
      onBroken: (reason) => this.#breakSession(reason),
    });
    const reason = await ended;
    stopListening();
    this.#session.end();
    this.#session = undefined;
    return reason;
  }

  #receive(message: StreamMessage): void {
    this.#pending = message.delivery.pending;
    this.#received += 1;
    this.plan.onMessage(message);
  }
}
