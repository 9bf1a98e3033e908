/** Counts the changes of what `/sync` tells, and wakes those who wait for the next one. */
export class ChangeClock {
  #now = 0;
  readonly #waiting = new Set<() => void>();

  /** The moment of the last change. */
  get now(): number {
    return this.#now;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** The moment of a change that was just made. */
  tick(): number {
    this.#now += 1;
    return this.#now;
  }

  /** Resolves at the next {@link release}, or after `ms`. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(end, ms);
      const waiting = this.#waiting;
      function end(): void {
        clearTimeout(timer);
        waiting.delete(end);
        resolve();
      }
      waiting.add(end);
    });
  }

  /** Wakes who waits. Changes of heads are released now and then, those of rights at once. */
  release(): void {
    for (const end of this.#waiting) end();
  }
}
