import { AppError } from '@boardwire/service-kit';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** A key that is not known may be a new one; asking is bounded, or made-up key ids would flood chat. */
const askAgainAfterMs = 5_000;

/** Keys past their age serve so many times longer while newer ones can't be fetched. */
const staleFactor = 6;

/** The public keys of an issuer's tokens, of this site's chat or of a foreign one, fetched and kept. */
export class SiteKeys {
  readonly #fetch: () => Promise<JSONWebKeySet>;
  #keys: JWTVerifyGetKey | undefined;
  readonly #maxAgeMs: number;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  /** @param maxAgeMs after which keys are fetched anew, so that one that was taken back goes */
  constructor(fetch: () => Promise<JSONWebKeySet>, maxAgeMs = Infinity) {
    this.#fetch = fetch;
    this.#maxAgeMs = maxAgeMs;
  }

  get isLoaded(): boolean {
    return this.#keys !== undefined;
  }

  readonly get: JWTVerifyGetKey = async (header, token) => {
    if (this.#keys === undefined) await this.load();
    else await this.#renew();
    try {
      return await this.#known(header, token);
    } catch (error) {
      if (!this.#mayAsk()) throw error;
      await this.load();
      return this.#known(header, token);
    }
  };

  load(): Promise<void> {
    this.#fetching ??= this.#load().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  #mayAsk(): boolean {
    return performance.now() - this.#askedAt >= askAgainAfterMs;
  }

  async #renew(): Promise<void> {
    const ageMs = performance.now() - this.#fetchedAt;
    if (ageMs < this.#maxAgeMs) return;
    const isUsable = ageMs < staleFactor * this.#maxAgeMs;
    if (isUsable && !this.#mayAsk()) return;
    await this.load().catch((error: unknown) => {
      if (!isUsable) throw error;
    });
  }

  async #load(): Promise<void> {
    this.#askedAt = performance.now();
    this.#keys = createLocalJWKSet(await this.#fetch());
    this.#fetchedAt = performance.now();
  }

  #known(...args: Parameters<JWTVerifyGetKey>): ReturnType<JWTVerifyGetKey> {
    if (this.#keys === undefined) throw new AppError('starting', { detail: 'the keys of tokens are not known yet' });
    return this.#keys(...args);
  }
}
