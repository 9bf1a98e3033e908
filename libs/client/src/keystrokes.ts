/** The site tells it once a second at most, so more frames than that are waste. */
const tellEveryMs = 1_000;

/** Keystrokes on their way to the site. */
export class Keystrokes {
  readonly #tell: (subject: string, on: boolean) => void;
  readonly #toldAt = new Map<string, number>();

  constructor(tell: (subject: string, on: boolean) => void) {
    this.#tell = tell;
  }

  pressed(subject: string, on: boolean): void {
    const toldAt = this.#toldAt.get(subject);
    if (!on) {
      this.#toldAt.delete(subject);
      if (toldAt !== undefined) this.#tell(subject, false);
      return;
    }
    const now = performance.now();
    if (toldAt !== undefined && now - toldAt < tellEveryMs) return;
    this.#toldAt.set(subject, now);
    this.#tell(subject, true);
  }

  /** The site has forgotten it with the connection. */
  clear(): void {
    this.#toldAt.clear();
  }
}
