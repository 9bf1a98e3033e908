export interface Rate {
  perSecond: number;
  burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Full buckets are forgotten when so many are kept. */
const bucketsMax = 50_000;

/** Token buckets by key. What a key has not used for long needs no bucket. */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes `count` at once or nothing. @returns 0, or the milliseconds after which they would be there. */
  take(key: string, count: number, rate: Rate, now = performance.now()): number {
    const bucket = this.#bucketOf(key, rate, now);
    bucket.tokens = Math.min(rate.burst, bucket.tokens + ((now - bucket.at) * rate.perSecond) / 1_000);
    bucket.at = now;
    // More than a burst can never fit; it passes when the bucket is full, and the debt is paid off afterwards.
    const needed = Math.min(count, rate.burst);
    if (bucket.tokens < needed) return Math.ceil(((needed - bucket.tokens) * 1_000) / rate.perSecond);
    bucket.tokens -= count;
    return 0;
  }

  #bucketOf(key: string, rate: Rate, now: number): Bucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    if (this.#buckets.size >= bucketsMax) this.#forgetOldest();
    const bucket = { tokens: rate.burst, at: now };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** The tenth that was made first: keys in use come back with a full bucket, which is the generous error. */
  #forgetOldest(): void {
    let left = bucketsMax / 10;
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      left -= 1;
      if (left === 0) return;
    }
  }
}
