export interface RelayWindowOptions {
  eventsMax: number;
  bytesMax: number;
}

/** What may be unacknowledged at once, over all boards. */
export class RelayWindow {
  #events = 0;
  #bytes = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly options: RelayWindowOptions) {}

  get isFull(): boolean {
    return this.#events >= this.options.eventsMax || this.#bytes >= this.options.bytesMax;
  }

  enter(bytes: number): void {
    this.#events += 1;
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#events -= 1;
    this.#bytes -= bytes;
    while (!this.isFull && this.#waiting.length > 0) this.#waiting.shift()?.();
  }

  /** Resolves when there is room. Every publication settles within its timeout, so this does too. */
  async room(): Promise<void> {
    while (this.isFull) {
      // oxlint-disable-next-line no-await-in-loop -- another waiter may have taken the room
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
