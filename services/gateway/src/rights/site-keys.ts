import { AppError } from '@boardwire/service-kit';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** A key that is not known may be a new one; asking is bounded, or made-up key ids would flood chat. */
const askAgainAfterMs = 5_000;

/** The public keys of the site's tokens, fetched from chat and kept. */
export class SiteKeys {
  readonly #fetch: () => Promise<JSONWebKeySet>;
  #keys: JWTVerifyGetKey | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  constructor(fetch: () => Promise<JSONWebKeySet>) {
    this.#fetch = fetch;
  }

  get isLoaded(): boolean {
    return this.#keys !== undefined;
  }

  readonly get: JWTVerifyGetKey = async (header, token) => {
    if (this.#keys === undefined) await this.load();
    try {
      return await this.#known(header, token);
    } catch (error) {
      if (performance.now() - this.#fetchedAt < askAgainAfterMs) throw error;
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

  async #load(): Promise<void> {
    this.#keys = createLocalJWKSet(await this.#fetch());
    this.#fetchedAt = performance.now();
  }

  #known(...args: Parameters<JWTVerifyGetKey>): ReturnType<JWTVerifyGetKey> {
    if (this.#keys === undefined) throw new AppError('starting', { detail: 'the keys of tokens are not known yet' });
    return this.#keys(...args);
  }
}
