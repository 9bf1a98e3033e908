import { formatCursor, parseCursor } from '@boardwire/contracts';
import type { LogEvent } from './board-ring.ts';
import { ConflatingQueue } from './conflating-queue.ts';
import type { EpochChange } from './live-group.ts';
import type { Outbox } from './outbox.ts';

export interface ConflatingWriterOptions {
  outbox: Outbox;
  /** Up to where everything has been written, asked when its reader falls behind. */
  position: () => number;
  /** The bytes of one event; undefined when it is not to be seen any more. */
  encode: (event: LogEvent) => Buffer | undefined;
  skipped: (count: number) => Buffer;
  onConflated: (events: number) => void;
  onFailed: (error: unknown) => void;
}

/**
 * The way to a reader that wants the newest rather than everything. While its socket takes what comes, events pass as
 * they are; while it is behind they wait here, conflated, and go out as the socket drains.
 */
export class ConflatingWriter {
  readonly #options: ConflatingWriterOptions;
  readonly #queue = new ConflatingQueue();
  #reached = 0;
  #isFlushing = false;

  constructor(options: ConflatingWriterOptions) {
    this.#options = options;
  }

  /** While events wait: up to where everything was written, or told as skipped. */
  get behindAt(): number | undefined {
    return this.#queue.isEmpty ? undefined : this.#reached;
  }

  /** Events in seq order, and the bytes that a reader gets who is not behind. */
  write(bytes: Buffer, events: readonly LogEvent[]): void {
    const { outbox } = this.#options;
    if (this.#queue.isEmpty && !outbox.isBehind) outbox.write(bytes, events.length);
    else this.hold(events);
  }

  /** Whether what comes now has to wait. */
  get isBehind(): boolean {
    return !this.#queue.isEmpty || this.#options.outbox.isBehind;
  }

  hold(events: readonly LogEvent[]): void {
    const { outbox, position, onConflated } = this.#options;
    if (outbox.isSealed) return;
    if (this.#queue.isEmpty) this.#reached = position();
    const { bytes, size } = this.#queue;
    let conflated = 0;
    for (const event of events) if (this.#queue.add(event)) conflated += 1;
    if (conflated > 0) onConflated(conflated);
    outbox.hold(this.#queue.bytes - bytes, this.#queue.size - size);
    if (!this.#isFlushing) void this.#flush();
  }

  /** What waits is of before the change, and is not to be written any more; its reader is told from where. */
  restart(change: EpochChange): EpochChange {
    const { behindAt } = this;
    this.clear();
    const epoch = parseCursor(change.previous)?.epoch;
    if (behindAt === undefined || epoch === undefined) return change;
    return { ...change, previous: formatCursor(epoch, behindAt) };
  }

  /** Forgets what waits: its reader has ended. */
  clear(): void {
    this.#options.outbox.hold(-this.#queue.bytes, -this.#queue.size);
    this.#queue.clear();
  }

  async #flush(): Promise<void> {
    const { outbox, onFailed } = this.#options;
    this.#isFlushing = true;
    try {
      while (!this.#queue.isEmpty && !outbox.isSealed) {
        // oxlint-disable-next-line no-await-in-loop -- at the pace of the socket
        await outbox.drained();
        // Others on this socket may have been faster.
        if (outbox.drained() === undefined) this.#writeSome();
      }
    } catch (error) {
      onFailed(error);
    } finally {
      this.#isFlushing = false;
    }
  }

  /** What was left out is told before what took its place. */
  #writeSome(): void {
    const { outbox, encode, skipped } = this.#options;
    const count = this.#queue.takeSkipped();
    if (count > 0) outbox.write(skipped(count));
    outbox.gather();
    while (!outbox.isBehind) {
      const { bytes } = this.#queue;
      const event = this.#queue.shift();
      if (event === undefined) return;
      outbox.hold(this.#queue.bytes - bytes, -1);
      const encoded = encode(event);
      if (encoded !== undefined && !outbox.write(encoded, 1)) return;
      this.#reached = event.seq;
    }
  }
}
