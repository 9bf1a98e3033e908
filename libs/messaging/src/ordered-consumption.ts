import { AckPolicy, DeliverPolicy, ReplayPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { nuid } from '@nats-io/transport-node';
import type { Connection } from './connection.ts';
import { Consumption, type Attachment } from './consumption.ts';
import { subjectFilter } from './subject-filter.ts';
import type { BusMessage, StreamMessage } from './message.ts';
import { nanoseconds } from './stream-admin.ts';

export interface OrderedConsumptionOptions {
  stream: string;
  subjects: string[];
  /** `new`: from the first message after the first attachment. */
  start: { from: 'new' } | { from: 'sequence'; sequence: number };
  /** Called in stream order, each message once. Must not throw. */
  onMessage: (message: BusMessage) => void;
  /** Delivery stopped; it starts again by itself, but a recreated stream may not hold all that was published. */
  onInterrupted?: (reason: string) => void;
}

export interface OrderedConsumption {
  /** Messages of the stream that wait behind the last delivered one. */
  readonly pending: number;
  readonly isAttached: boolean;
  /** Replaces the consumer; what the stream holds now is skipped. */
  restartFromNew(): void;
  close(): Promise<void>;
}

const window = 1_024;
/** The server forgets a consumer nobody pulls from. */
const inactiveMs = 10_000;

/**
 * Delivers a stream in order, without state on the server that would outlive it. A message out of order, a break or a
 * lost consumer ends the session, and the next one starts behind the last message delivered. When the stream was
 * deleted and recreated meanwhile, sequences mean something else: then it starts with the new stream's first message.
 */
export class OrderedStream implements OrderedConsumption {
  readonly #consumption: Consumption;
  /** Stream sequence to start from; undefined: behind the stream's last message. */
  #next: number | undefined;
  #incarnation: string | undefined;
  #consumerSequence = 0;

  constructor(
    private readonly connection: Connection,
    private readonly options: OrderedConsumptionOptions,
  ) {
    this.#next = options.start.from === 'sequence' ? options.start.sequence : undefined;
    this.#consumption = new Consumption(connection, {
      stream: options.stream,
      window,
      attach: (manager) => this.#attach(manager),
      onMessage: (message) => this.#receive(message),
      onInterrupted: options.onInterrupted,
    });
  }

  get pending(): number {
    return this.#consumption.pending;
  }

  get isAttached(): boolean {
    return this.#consumption.isAttached;
  }

  restartFromNew(): void {
    this.#next = undefined;
    this.#consumption.restart('restarted from new');
  }

  close(): Promise<void> {
    return this.#consumption.close();
  }

  #receive(message: StreamMessage): void {
    if (message.delivery.consumerSequence !== this.#consumerSequence + 1) throw new Error('a delivery is missing');
    this.#consumerSequence += 1;
    this.#next = message.streamSequence + 1;
    this.options.onMessage(message);
  }

  async #attach(manager: JetStreamManager): Promise<Attachment> {
    const { stream, subjects } = this.options;
    const { created, state } = await manager.streams.info(stream);
    const start = this.#startIn(created, state.first_seq, state.last_seq);
    const consumer = `ordered-${nuid.next()}`;
    await manager.consumers.add(stream, {
      name: consumer,
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: start,
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanoseconds(inactiveMs),
      ...subjectFilter(subjects, this.connection.serverVersion),
    });
    // Recreated between the two calls: the start would be a position in the former stream.
    const { created: createdNow } = await manager.streams.info(stream);
    if (createdNow !== created) throw new Error('the stream was recreated');
    this.#incarnation = created;
    this.#next = start;
    this.#consumerSequence = 0;
    return { consumer, incarnation: created };
  }

  #startIn(incarnation: string, first: number, last: number): number {
    const isSame = this.#incarnation === undefined || this.#incarnation === incarnation;
    if (!isSame) return Math.max(1, first);
    // A server that lost its newest writes gives their sequences out again.
    if (this.#next === undefined || this.#next > last + 1) return last + 1;
    return Math.max(1, this.#next);
  }
}
