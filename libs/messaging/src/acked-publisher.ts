import { createInbox, type Msg } from '@nats-io/transport-node';
import type { Connection } from './connection.ts';
import { encodedHeaders } from './encoded-headers.ts';

export interface PublishAck {
  stream: string;
  sequence: number;
  /** The stream held a message with this `Nats-Msg-Id` already. */
  duplicate: boolean;
}

/**
 * `timeout` and `disconnected` are ambiguous, the stream may hold the message: publish it again under the same
 * `Nats-Msg-Id`. `no_responders`: no stream takes the subject. `rejected`: the stream refused it.
 * `window_full`: more is in flight than the publisher allows; wait for {@link AckedPublisher.room}.
 */
export type PublishFailure = 'timeout' | 'no_responders' | 'rejected' | 'disconnected' | 'window_full';

export class PublishFailed extends Error {
  override readonly name = 'PublishFailed';
  constructor(
    readonly reason: PublishFailure,
    detail?: string,
  ) {
    super(detail === undefined ? reason : `${reason}: ${detail}`);
  }
}

export type PublishSettled = (failure: PublishFailed | undefined, ack: PublishAck | undefined) => void;

export interface AckedPublisherOptions {
  /** Messages that may wait for their acknowledgement at once. */
  windowMax: number;
  /** An acknowledgement that takes longer counts as lost; noticed up to an eighth later. */
  ackTimeoutMs: number;
}

interface Waiting {
  deadline: number;
  settled: PublishSettled;
}

/**
 * Publishes into streams and tells what the stream answered, in a window of many at once. One subscription takes all
 * acknowledgements and one timer looks for those that never come, so that a message costs neither a timer nor an
 * error object: about seven times the rate of the client's own publish.
 */
export class AckedPublisher {
  readonly #inbox = createInbox();
  /** In order of publishing, hence of deadlines. */
  readonly #waiting = new Map<number, Waiting>();
  readonly #roomWaiters: (() => void)[] = [];
  readonly #subscription: { unsubscribe(): void };
  readonly #stopListening: () => void;
  readonly #sweep: NodeJS.Timeout;
  #next = 0;

  constructor(
    private readonly connection: Connection,
    private readonly options: AckedPublisherOptions,
  ) {
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, (message) => this.#onAck(message));
    this.#stopListening = connection.onStatus((connected) => {
      if (!connected) this.#failAll(lost.disconnected);
    });
    this.#sweep = setInterval(() => this.#failOverdue(), Math.max(25, options.ackTimeoutMs / 8));
    this.#sweep.unref();
  }

  get inFlight(): number {
    return this.#waiting.size;
  }

  /**
   * Publishes one message; rejects with {@link PublishFailed}. Never hangs: a promise settles within the timeout, and
   * at once when the connection is gone.
   */
  publish(subject: string, data: Uint8Array, headers: Record<string, string>): Promise<PublishAck> {
    return new Promise((resolve, reject) => {
      this.send(subject, data, headers, (failure, ack) => (ack === undefined ? reject(failure) : resolve(ack)));
    });
  }

  /** {@link publish} for the hot path. `settled` is called exactly once, in the order in which acks arrive. */
  send(subject: string, data: Uint8Array, headers: Record<string, string>, settled: PublishSettled): void {
    const client = this.connection.client;
    if (client === undefined) return settled(lost.disconnected, undefined);
    if (this.#waiting.size >= this.options.windowMax) return settled(lost.window_full, undefined);
    const token = this.#next++;
    try {
      client.publish(subject, data, { reply: `${this.#inbox}.${token}`, headers: encodedHeaders(headers) });
    } catch (error) {
      return settled(new PublishFailed('rejected', (error as Error).message), undefined);
    }
    this.#waiting.set(token, { deadline: Date.now() + this.options.ackTimeoutMs, settled });
  }

  /** Resolves when at least one more message fits into the window. */
  async room(): Promise<void> {
    while (this.#waiting.size >= this.options.windowMax) {
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    }
  }

  /** Fails what is in flight and stops. */
  close(): void {
    clearInterval(this.#sweep);
    this.#stopListening();
    this.#subscription.unsubscribe();
    this.#failAll(lost.disconnected);
  }

  #onAck(message: Msg): void {
    const token = Number(message.subject.slice(this.#inbox.length + 1));
    const waiting = this.#waiting.get(token);
    // Its answer came after its timeout.
    if (waiting === undefined) return;
    this.#waiting.delete(token);
    const answer = readAck(message);
    if (answer instanceof PublishFailed) waiting.settled(answer, undefined);
    else waiting.settled(undefined, answer);
    this.#wakeRoomWaiters();
  }

  #failOverdue(): void {
    const now = Date.now();
    for (const [token, waiting] of this.#waiting) {
      if (waiting.deadline > now) break;
      this.#waiting.delete(token);
      waiting.settled(lost.timeout, undefined);
    }
    this.#wakeRoomWaiters();
  }

  #failAll(failure: PublishFailed): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { settled } of waiting) settled(failure, undefined);
    this.#wakeRoomWaiters();
  }

  #wakeRoomWaiters(): void {
    while (this.#roomWaiters.length > 0 && this.#waiting.size < this.options.windowMax) this.#roomWaiters.shift()?.();
  }
}

/** One object for each failure that can hit thousands of messages at once. */
const lost = {
  timeout: new PublishFailed('timeout'),
  disconnected: new PublishFailed('disconnected'),
  window_full: new PublishFailed('window_full'),
  no_responders: new PublishFailed('no_responders'),
} as const;

/** Reads `{"stream":"BOARDS","seq":7}` with an optional `"duplicate":true`; parses whole only what looks otherwise. */
function readAck(message: Msg): PublishAck | PublishFailed {
  if (message.data.length === 0) {
    return message.headers?.code === 503 ? lost.no_responders : new PublishFailed('rejected', message.headers?.status);
  }
  const text = Buffer.from(message.data.buffer, message.data.byteOffset, message.data.length).toString('latin1');
  const plain = /^\{"stream":"([^"\\]+)",\s?"seq":(\d+)(,\s?"duplicate":\s?true)?\}$/.exec(text);
  if (plain !== null) return { stream: plain[1]!, sequence: Number(plain[2]), duplicate: plain[3] !== undefined };
  return parseAck(text);
}

function parseAck(text: string): PublishAck | PublishFailed {
  try {
    const ack = JSON.parse(text) as {
      stream?: string;
      seq?: number;
      duplicate?: boolean;
      error?: { err_code?: number; description?: string };
    };
    if (ack.error === undefined && ack.stream !== undefined && ack.seq !== undefined) {
      return { stream: ack.stream, sequence: ack.seq, duplicate: ack.duplicate === true };
    }
    return new PublishFailed('rejected', `${ack.error?.description} (${ack.error?.err_code})`);
  } catch {
    return new PublishFailed('rejected', 'the answer is no acknowledgement');
  }
}
