import { TokenBucket, type Rate } from './token-bucket.ts';

/** Full buckets are forgotten when so many are kept. */
const bucketsMax = 50_000;

/** Token buckets by key. What a key has not used for long needs no bucket. */
export class RateLimiter {
  readonly #buckets = new Map<string, TokenBucket>();

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes `count` at once or nothing. @returns 0, or the milliseconds after which they would be there. */
  take(key: string, count: number, rate: Rate, now = performance.now()): number {
    return this.#bucketOf(key, rate, now).take(count, rate, now);
  }

  #bucketOf(key: string, rate: Rate, now: number): TokenBucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    if (this.#buckets.size >= bucketsMax) this.#forgetOldest();
    const bucket = new TokenBucket(rate, now);
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
