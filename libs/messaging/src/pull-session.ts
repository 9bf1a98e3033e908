import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { parseDelivery, StreamMessage } from './message.ts';
import { nanoseconds } from './stream-admin.ts';

export interface PullSessionOptions {
  client: NatsConnection;
  stream: string;
  consumer: string;
  incarnation: string;
  /** Messages asked for ahead of those delivered. */
  window: number;
  onMessage: (message: StreamMessage) => void;
  /** Called once, when nothing more will come; the session has ended itself. */
  onBroken: (reason: string) => void;
}

const expiresMs = 5_000;
const heartbeatMs = 500;
const watchMs = 250;
/** Ticks without a sign of life: 1.25 s, more than two heartbeats. */
const silentTicksMax = 5;

/**
 * One stretch of pulling from one consumer: keeps requests open, counts what they still owe, and notices within 1.5 s
 * when the server has gone silent. It never repairs anything: whoever owns it starts another one.
 */
export class PullSession {
  readonly #options: PullSessionOptions;
  readonly #inbox = createInbox();
  readonly #subscription: Subscription;
  readonly #nextSubject: string;
  readonly #watch: NodeJS.Timeout;
  #owed = 0;
  #isAlive = true;
  #silentTicks = 0;
  #ended = false;

  constructor(options: PullSessionOptions) {
    this.#options = options;
    this.#nextSubject = `$JS.API.CONSUMER.MSG.NEXT.${options.stream}.${options.consumer}`;
    this.#subscription = options.client.subscribe(this.#inbox, {
      callback: (error, message) => (error === null ? this.#receive(message) : this.#break(error.message)),
    });
    this.#watch = setInterval(() => this.#lookForLife(), watchMs);
    this.#topUp();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#watch);
    if (!this.#options.client.isClosed()) this.#subscription.unsubscribe();
  }

  #receive(raw: Msg): void {
    if (this.#ended) return;
    this.#isAlive = true;
    // An exception here would end the client's reader and with it every subscription.
    try {
      const reply = raw.reply ?? '';
      const delivery = parseDelivery(reply);
      if (delivery === undefined) return this.#receiveStatus(raw);
      this.#owed -= 1;
      this.#options.onMessage(new StreamMessage(raw, delivery, reply, this.#options.incarnation));
      this.#topUp();
    } catch (error) {
      this.#break(`handler failed: ${(error as Error).message}`);
    }
  }

  #receiveStatus(raw: Msg): void {
    const code = raw.headers?.code ?? 0;
    if (code === 100) return;
    const unserved = Number(raw.headers?.get('Nats-Pending-Messages') ?? '') || 0;
    const isEndOfRequest = code === 404 || code === 408 || (code === 409 && unserved > 0 && !isFinal(raw));
    if (!isEndOfRequest) return this.#break(`${code} ${raw.headers?.description ?? ''}`.trim());
    this.#owed -= unserved;
    this.#topUp();
  }

  #topUp(): void {
    const { window, client } = this.#options;
    if (this.#ended || this.#owed > window / 2) return;
    const batch = window - Math.max(0, this.#owed);
    this.#owed += batch;
    const request = { batch, expires: nanoseconds(expiresMs), idle_heartbeat: nanoseconds(heartbeatMs) };
    client.publish(this.#nextSubject, JSON.stringify(request), { reply: this.#inbox });
  }

  /** Counts ticks rather than time: a blocked event loop gets one late tick, then the socket is read again. */
  #lookForLife(): void {
    this.#silentTicks = this.#isAlive ? 0 : this.#silentTicks + 1;
    this.#isAlive = false;
    if (this.#silentTicks >= silentTicksMax) this.#break('heartbeats missed');
  }

  #break(reason: string): void {
    if (this.#ended) return;
    this.end();
    this.#options.onBroken(reason);
  }
}

const isFinal = (raw: Msg) => /deleted|shutdown|leadership/i.test(raw.headers?.description ?? '');
