export interface Rate {
  perSecond: number;
  burst: number;
}

/** Fills at a rate up to a burst. Its owner keeps the rate: ten thousand buckets of one kind share it. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  constructor({ burst }: Rate, now = performance.now()) {
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes `count` at once or nothing. @returns 0, or the milliseconds after which they would be there. */
  take(count: number, rate: Rate, now = performance.now()): number {
    this.#tokens = Math.min(rate.burst, this.#tokens + ((now - this.#at) * rate.perSecond) / 1_000);
    this.#at = now;
    // More than a burst can never fit; it passes when the bucket is full, and the debt is paid off afterwards.
    const needed = Math.min(count, rate.burst);
    if (this.#tokens < needed) return Math.ceil(((needed - this.#tokens) * 1_000) / rate.perSecond);
    this.#tokens -= count;
    return 0;
  }
}
