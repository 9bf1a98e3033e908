/**
 * Calls back when nothing fed it for a while. Looks at the clock in short steps instead of arming one long timer: after
 * a laptop's sleep it notices within a step that the connection is of yesterday.
 */
export class Watchdog {
  readonly #onQuiet: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #fedAtMs = 0;

  constructor(onQuiet: () => void) {
    this.#onQuiet = onQuiet;
  }

  /** From now on, with this bound; a former one is forgotten. */
  start(quietMs: number): void {
    this.stop();
    this.feed();
    this.#timer = setInterval(() => this.#look(quietMs), quietMs / 10);
  }

  feed(): void {
    this.#fedAtMs = Date.now();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(quietMs: number): void {
    if (Date.now() - this.#fedAtMs < quietMs) return;
    this.stop();
    this.#onQuiet();
  }
}
