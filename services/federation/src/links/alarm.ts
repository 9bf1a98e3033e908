/** A wait that ends with its time, when somebody rings, or when there is no reason to wait any more. */
export class Alarm {
  #ring: () => void = () => undefined;
  #isRung = false;

  /** Ends the wait that is under way, else the next one at once. */
  ring(): void {
    this.#isRung = true;
    this.#ring();
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isRung && !signal.aborted && ms > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(end, Math.min(ms, 2 ** 31 - 1));
        function end(): void {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          resolve();
        }
        signal.addEventListener('abort', end, { once: true });
        this.#ring = end;
      });
    }
    this.#isRung = false;
  }
}
