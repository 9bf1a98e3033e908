import { accessClaimsSchema, accessTokenAudience } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { errors, jwtVerify } from 'jose';
import { createHash } from 'node:crypto';
import { accessOf, type Access } from './access.ts';
import type { ForeignIssuers } from './foreign-issuers.ts';
import type { Revocations } from './revocations.ts';
import type { Rights } from './rights.ts';
import type { SiteKeys } from './site-keys.ts';

export interface TokenVerifierOptions {
  keys: SiteKeys;
  revocations: Revocations;
  rights: Rights;
  foreign: ForeignIssuers;
  onRefused: (reason: string) => void;
}

const cachedMax = 20_000;
const tokenCharsMax = 16_384;

/**
 * Says who bears a token. A signature is checked once; what was found is kept by the token's hash, never by the token.
 * Expiry and revocation are looked at every time.
 */
export class TokenVerifier {
  readonly #options: TokenVerifierOptions;
  readonly #verified = new Map<string, Access>();

  constructor(options: TokenVerifierOptions) {
    this.#options = options;
  }

  /** @throws AppError `token_missing`, `token_invalid`, `token_expired` or `token_revoked`. */
  async verify(token: string | undefined): Promise<Access> {
    try {
      const access = await this.#accessOf(token);
      return this.current(access);
    } catch (error) {
      if (error instanceof AppError && error.status === 401) this.#options.onRefused(error.code);
      throw error;
    }
  }

  /** @throws AppError when the token has run out or its session has ended since it was verified. */
  assertStands(access: Access): void {
    if (this.#options.revocations.isRevoked(access.sessionId)) throw new AppError('token_revoked');
    if (access.expiresMs <= Date.now()) throw new AppError('token_expired');
  }

  /** What stands in place of an access now: its account's roles may have changed since it was given. @throws AppError */
  current(access: Access): Access {
    this.assertStands(access);
    return this.#options.rights.current(access);
  }

  async #accessOf(token: string | undefined): Promise<Access> {
    if (token === undefined || token === '') throw new AppError('token_missing');
    if (token.length > tokenCharsMax) throw new AppError('token_invalid');
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#verified.get(key);
    if (known !== undefined) return known;
    const access = await this.#check(token);
    if (this.#verified.size >= cachedMax) this.#forgetSome();
    this.#verified.set(key, access);
    return access;
  }

  async #check(token: string): Promise<Access> {
    const { foreign, keys } = this.#options;
    try {
      const access = await foreign.accessOf(token);
      if (access !== undefined) return access;
      const { payload } = await jwtVerify(token, keys.get, {
        algorithms: ['EdDSA'],
        audience: accessTokenAudience,
        requiredClaims: ['exp', 'sub'],
      });
      const claims = accessClaimsSchema.safeParse(payload);
      if (!claims.success) throw new AppError('token_invalid', { cause: claims.error });
      return accessOf(claims.data);
    } catch (error) {
      // Keys that can't be fetched are no fault of the token.
      if (error instanceof AppError) throw error;
      throw new AppError(error instanceof errors.JWTExpired ? 'token_expired' : 'token_invalid', { cause: error });
    }
  }

  /** The expired ones, and when there are none, the oldest. */
  #forgetSome(): void {
    const now = Date.now();
    for (const [key, access] of this.#verified) if (access.expiresMs <= now) this.#verified.delete(key);
    for (const key of this.#verified.keys()) {
      if (this.#verified.size < cachedMax) return;
      this.#verified.delete(key);
    }
  }
}
