import type { LogEvent } from './board-ring.ts';

/** What an entry costs beside its bytes. */
const entryBytes = 200;

/**
 * What waits for a reader that is behind. A newer event of class `state` takes the place of the older one of its
 * subject, at the tail: positions keep rising, and a reader that is cut in between has lost no other subject's event.
 * Anything else stays, so that an event of class `log` is never left out, whatever the board's rules said meanwhile.
 */
export class ConflatingQueue {
  readonly #entries = new Map<string | number, LogEvent>();
  #bytes = 0;
  #skipped = 0;

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns true when an older event had to go. */
  add(event: LogEvent): boolean {
    const key = event.isState ? event.subject : event.seq;
    const older = this.#entries.get(key);
    if (older !== undefined) {
      this.#entries.delete(key);
      this.#bytes -= weightOf(older);
      this.#skipped += 1;
    }
    this.#entries.set(key, event);
    this.#bytes += weightOf(event);
    return older !== undefined;
  }

  /** Takes the oldest event out. */
  shift(): LogEvent | undefined {
    for (const [key, event] of this.#entries) {
      this.#entries.delete(key);
      this.#bytes -= weightOf(event);
      return event;
    }
    return undefined;
  }

  /** How many events had to go since this was last asked. */
  takeSkipped(): number {
    const skipped = this.#skipped;
    this.#skipped = 0;
    return skipped;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
    this.#skipped = 0;
  }
}

function weightOf(event: LogEvent): number {
  return event.bytes.length + entryBytes;
}
