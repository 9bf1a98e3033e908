/**
 * Calls back when nothing fed it for a while. Looks at the clock in short steps instead of arming one long timer: after
 * a laptop's sleep it notices within a step that the connection is of yesterday.
 */
export class Watchdog {
  readonly #quietMs: number;
  readonly #onQuiet: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #fedAtMs = 0;

  constructor(quietMs: number, onQuiet: () => void) {
    this.#quietMs = quietMs;
    this.#onQuiet = onQuiet;
  }

  start(): void {
    this.stop();
    this.feed();
    this.#timer = setInterval(() => this.#look(), this.#quietMs / 10);
  }

  feed(): void {
    this.#fedAtMs = Date.now();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    if (Date.now() - this.#fedAtMs < this.#quietMs) return;
    this.stop();
    this.#onQuiet();
  }
}
