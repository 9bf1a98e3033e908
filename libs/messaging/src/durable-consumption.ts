import {
  AckPolicy,
  DeliverPolicy,
  JetStreamApiError,
  ReplayPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  type JetStreamManager,
} from '@nats-io/jetstream';
import type { Connection } from './connection.ts';
import { Consumption, type Attachment } from './consumption.ts';
import { StreamMessage, type BusMessage } from './message.ts';
import { hasCode, nanoseconds } from './stream-admin.ts';
import { subjectFilter } from './subject-filter.ts';

export interface DurableConsumptionOptions {
  stream: string;
  durable: string;
  subjects: string[];
  /** Called in order of delivery; after a break, messages that were not acknowledged come again. Must not throw. */
  onMessage: (message: BusMessage) => void;
  onInterrupted?: (reason: string) => void;
  /** Messages delivered and not yet acknowledged; the server stops delivering there. */
  maxAckPending: number;
}

export interface DurableConsumption {
  /** Messages of the stream that wait behind the last delivered one. */
  readonly pending: number;
  readonly isAttached: boolean;
  /** Acknowledges this message and all before it. Ignored for a message of a stream that is gone. */
  ackThrough(message: BusMessage): void;
  /** Binds to the consumer anew. */
  restart(): void;
  close(): Promise<void>;
}

const ackWaitMs = 30_000;
/** The server's code for no consumer of that name. */
const consumerNotFound = 10014;

/** A durable pull consumer, made again when the stream was recreated. Its position is a hint, never the truth. */
export class DurableStream implements DurableConsumption {
  readonly #consumption: Consumption;
  #incarnation: string | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly options: DurableConsumptionOptions,
  ) {
    this.#consumption = new Consumption(connection, {
      stream: options.stream,
      window: Math.max(1, Math.min(1_024, options.maxAckPending)),
      attach: (manager) => this.#attach(manager),
      onMessage: options.onMessage,
      onInterrupted: options.onInterrupted,
    });
  }

  get pending(): number {
    return this.#consumption.pending;
  }

  get isAttached(): boolean {
    return this.#consumption.isAttached;
  }

  ackThrough(message: BusMessage): void {
    if (!(message instanceof StreamMessage) || message.incarnation !== this.#incarnation) return;
    this.connection.client?.publish(message.ackSubject, '+ACK');
  }

  restart(): void {
    this.#consumption.restart();
  }

  close(): Promise<void> {
    return this.#consumption.close();
  }

  async #attach(manager: JetStreamManager): Promise<Attachment> {
    const { stream, durable, subjects, maxAckPending } = this.options;
    const { created } = await ensureDurable(manager, stream, {
      durable_name: durable,
      ack_policy: AckPolicy.All,
      // Its position is a hint, the marks are the truth: not worth a disk write.
      mem_storage: true,
      replay_policy: ReplayPolicy.Instant,
      deliver_policy: DeliverPolicy.All,
      ack_wait: nanoseconds(ackWaitMs),
      max_ack_pending: maxAckPending,
      ...subjectFilter(subjects, this.connection.serverVersion),
    });
    this.#incarnation = created;
    return { consumer: durable, incarnation: created };
  }
}

type DurableConfig = Partial<ConsumerConfig> & { durable_name: string };

/**
 * Creates the consumer, or brings an existing one to this configuration; what can't be changed is made anew where it
 * stood. So is one that has messages out while nobody asks for more: whoever pulled them is gone, and they would come again
 * only when their time is over, and nothing else either if they are as many as may be out.
 */
async function ensureDurable(manager: JetStreamManager, stream: string, config: DurableConfig): Promise<ConsumerInfo> {
  const { consumers } = manager;
  const former = await findConsumer(manager, stream, config.durable_name);
  if (former === undefined) return consumers.add(stream, config);
  const isAbandoned = former.num_ack_pending > 0 && former.num_waiting === 0;
  if (!isAbandoned) {
    try {
      return await consumers.update(stream, config.durable_name, { ...config, ...startOf(former.config) });
    } catch (error) {
      if (!(error instanceof JetStreamApiError)) throw error;
    }
  }
  await consumers.delete(stream, config.durable_name);
  const next = former.ack_floor.stream_seq + 1;
  return consumers.add(stream, { ...config, deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: next });
}

async function findConsumer(
  manager: JetStreamManager,
  stream: string,
  name: string,
): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(stream, name);
  } catch (error) {
    if (hasCode(error, consumerNotFound)) return undefined;
    throw error;
  }
}

/** Where it once began, which can't be changed. */
function startOf({ deliver_policy, opt_start_seq }: ConsumerConfig): Partial<ConsumerConfig> {
  return opt_start_seq === undefined ? { deliver_policy } : { deliver_policy, opt_start_seq };
}
