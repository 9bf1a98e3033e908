import type { BusMessage } from '@boardwire/messaging';
import type { BoardTrack } from './board-track.ts';

interface Unacknowledged {
  message: BusMessage;
  isDone: () => boolean;
}

/**
 * Acknowledges a durable's messages in stream order, as far as their boards' handler is done. Only to keep the
 * server's window moving: positions come from the marks.
 */
export class AckQueue {
  /** By stream sequence, in order of arrival. */
  readonly #waiting = new Map<number, Unacknowledged>();
  #newest = 0;

  constructor(private readonly ackThrough: (message: BusMessage) => void) {}

  get depth(): number {
    return this.#waiting.size;
  }

  /** `track` is the board whose seq the message holds; without one nobody waits for it. */
  add(message: BusMessage, track?: BoardTrack, seq = 0): void {
    const sequence = message.streamSequence ?? 0;
    // One that still waits is answered by its newest delivery, in its old place.
    if (sequence <= this.#newest && !this.#waiting.has(sequence)) return;
    this.#newest = Math.max(this.#newest, sequence);
    const epoch = track?.epoch;
    this.#waiting.set(sequence, {
      message,
      isDone: () => track === undefined || track.isGone || track.epoch !== epoch || track.handed >= seq,
    });
  }

  /** Delivery was interrupted: what comes again may belong to another consumer, which wants its own answers. */
  expectRepeats(): void {
    this.#newest = 0;
  }

  acknowledgeDone(): void {
    let last: BusMessage | undefined;
    for (const [sequence, { message, isDone }] of this.#waiting) {
      if (!isDone()) break;
      this.#waiting.delete(sequence);
      last = message;
    }
    if (last !== undefined) this.ackThrough(last);
  }
}
