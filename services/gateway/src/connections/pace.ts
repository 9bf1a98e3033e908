/** Steps of handshakes that get through in one turn of the event loop: one or two milliseconds of work. */
const perTurn = 16;

/**
 * Lets handshakes in by portions. The kernel hands over thousands of connections at once after an outage; between two
 * portions events, acknowledgements and publishers have their turn.
 */
export class Pace {
  readonly #waiting: (() => void)[] = [];
  #admitted = 0;

  get waiting(): number {
    return this.#waiting.length;
  }

  /** @returns undefined when it may go on at once. */
  next(): Promise<void> | undefined {
    if (this.#admitted === 0) setImmediate(() => this.#nextTurn());
    this.#admitted += 1;
    if (this.#admitted <= perTurn) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #nextTurn(): void {
    const portion = this.#waiting.splice(0, perTurn);
    this.#admitted = portion.length;
    if (this.#admitted > 0) setImmediate(() => this.#nextTurn());
    // The rest of those who wait keep their place before who comes now.
    if (this.#waiting.length > 0) this.#admitted = perTurn;
    for (const admit of portion) admit();
  }
}
