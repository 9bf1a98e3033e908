export interface BackoffOptions {
  /** Upper bound of the second wait; doubled for each further one. */
  baseMs?: number;
  maxMs?: number;
  /** Upper bound of the first wait: most breaks are a blip or a restart behind a load balancer. */
  firstMs?: number;
  random?: () => number;
}

/**
 * Waits between attempts: a quick first one, then 1, 2, 4 … 30 s, each with full jitter, so that thousands of clients
 * that lost the same gateway don't come back in one instant. What the server asks for is a floor.
 */
export class Backoff {
  #attempts = 0;
  readonly #options: Required<BackoffOptions>;

  constructor(options: BackoffOptions = {}) {
    this.#options = { baseMs: 1_000, maxMs: 30_000, firstMs: 250, random: Math.random, ...options };
  }

  get attempts(): number {
    return this.#attempts;
  }

  next(floorMs = 0): number {
    const { baseMs, maxMs, firstMs, random } = this.#options;
    const bound = this.#attempts === 0 ? firstMs : Math.min(maxMs, baseMs * 2 ** (this.#attempts - 1));
    this.#attempts += 1;
    return Math.round(Math.max(floorMs, random() * bound));
  }

  reset(): void {
    this.#attempts = 0;
  }
}
