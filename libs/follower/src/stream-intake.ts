import { boardsStream } from '@boardwire/contracts';
import type { Bus, BusMessage, DurableConsumption, OrderedConsumption } from '@boardwire/messaging';
import { AckQueue } from './ack-queue.ts';
import type { BoardTrack } from './board-track.ts';

export interface StreamIntakeOptions {
  bus: Bus;
  /** Name of the durable consumer; an ordered consumer without one. */
  durable: string | undefined;
  maxAckPending: number;
  /** Answers which board and seq the message stands for, when it is one of a known board. */
  onMessage: (message: BusMessage) => { track: BoardTrack; seq: number } | undefined;
}

/** The fast path: one consumer of the mirror, durable or ordered. */
export class StreamIntake {
  readonly #options: StreamIntakeOptions;
  #consumption: DurableConsumption | OrderedConsumption | undefined;
  #restart = () => {};
  #acks: AckQueue | undefined;
  received = 0;

  constructor(options: StreamIntakeOptions) {
    this.#options = options;
  }

  get isAttached(): boolean {
    return this.#consumption?.isAttached === true;
  }

  get pending(): number {
    return this.#consumption?.pending ?? 0;
  }

  open(): void {
    const { durable } = this.#options;
    if (durable === undefined) this.#openOrdered();
    else this.#openDurable(durable);
  }

  async close(): Promise<void> {
    const consumption = this.#consumption;
    this.#consumption = undefined;
    await consumption?.close();
  }

  /** Replaces a consumer that seems to have lost something. What it would have brought is read from the log. */
  restart(): void {
    this.#restart();
  }

  /** The handler is done with more events. */
  acknowledgeDone(): void {
    this.#acks?.acknowledgeDone();
  }

  #openOrdered(): void {
    const { bus, onMessage } = this.#options;
    const consumption = bus.consumeOrdered({
      stream: boardsStream.name,
      subjects: boardsStream.subjects,
      start: { from: 'new' },
      onMessage: (message) => {
        this.received += 1;
        onMessage(message);
      },
    });
    this.#restart = () => consumption.restartFromNew();
    this.#consumption = consumption;
  }

  #openDurable(durable: string): void {
    const { bus, onMessage, maxAckPending } = this.#options;
    const acks = new AckQueue((message) => consumption.ackThrough(message));
    const consumption = bus.consumeDurable({
      stream: boardsStream.name,
      durable,
      subjects: boardsStream.subjects,
      maxAckPending,
      onMessage: (message) => {
        this.received += 1;
        const place = onMessage(message);
        acks.add(message, place?.track, place?.seq);
        // Most messages wait for the handler; duplicates and strangers don't.
        if (place === undefined || place.track.handed >= place.seq) acks.acknowledgeDone();
      },
      onInterrupted: () => acks.expectRepeats(),
    });
    this.#restart = () => consumption.restart();
    this.#acks = acks;
    this.#consumption = consumption;
  }
}
