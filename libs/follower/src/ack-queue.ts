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
  #waiting: Unacknowledged[] = [];
  #newest = 0;

  constructor(private readonly ackThrough: (message: BusMessage) => void) {}

  get depth(): number {
    return this.#waiting.length;
  }

  /** `track` is the board whose seq the message holds; without one nobody waits for it. */
  add(message: BusMessage, track?: BoardTrack, seq = 0): void {
    const sequence = message.streamSequence ?? 0;
    // Redelivered: an entry for it, or one behind it, is already here.
    if (sequence <= this.#newest) return;
    this.#newest = sequence;
    const epoch = track?.epoch;
    this.#waiting.push({
      message,
      isDone: () => track === undefined || track.isGone || track.epoch !== epoch || track.handed >= seq,
    });
  }

  /** Delivery was interrupted: what comes again may belong to another consumer, which wants its own answers. */
  expectRepeats(): void {
    this.#newest = 0;
  }

  acknowledgeDone(): void {
    let count = 0;
    while (count < this.#waiting.length && this.#waiting[count]!.isDone()) count += 1;
    if (count === 0) return;
    const last = this.#waiting[count - 1]!;
    this.#waiting.splice(0, count);
    this.ackThrough(last.message);
  }
}
