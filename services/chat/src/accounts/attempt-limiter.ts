import { AppError } from '@boardwire/service-kit';

export interface AttemptLimits {
  windowMs: number;
  /** Keys that are remembered; beyond, the oldest are forgotten. */
  keysMax: number;
}

interface Count {
  attempts: number;
  sinceMs: number;
}

/** Counts attempts by key in windows of fixed length, in bounded memory. */
export class AttemptLimiter {
  readonly #counts = new Map<string, Count>();

  constructor(private readonly limits: AttemptLimits) {}

  /** @throws AppError `rate_limited` when one of the keys has used up its attempts. */
  assertMay(allowances: Readonly<Record<string, number>>, now = Date.now()): void {
    for (const [key, max] of Object.entries(allowances)) {
      const count = this.#current(key, now);
      if (count === undefined || count.attempts < max) continue;
      throw new AppError('rate_limited', { retryAfterMs: count.sinceMs + this.limits.windowMs - now });
    }
  }

  note(keys: readonly string[], now = Date.now()): void {
    for (const key of keys) {
      const count = this.#current(key, now) ?? { attempts: 0, sinceMs: now };
      count.attempts += 1;
      // The newest stand at the end of the map, so that the oldest are at hand.
      this.#counts.delete(key);
      this.#counts.set(key, count);
    }
    for (const key of this.#counts.keys()) {
      if (this.#counts.size <= this.limits.keysMax) break;
      this.#counts.delete(key);
    }
  }

  forget(key: string): void {
    this.#counts.delete(key);
  }

  #current(key: string, now: number): Count | undefined {
    const count = this.#counts.get(key);
    return count !== undefined && now - count.sinceMs < this.limits.windowMs ? count : undefined;
  }
}
