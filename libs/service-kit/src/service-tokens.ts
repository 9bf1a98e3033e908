import { limits } from '@boardwire/contracts';
import { SignJWT, errors, jwtVerify } from 'jose';
import { AppError } from './app-error.ts';

const refreshMarginMs = 60_000;
const verifiedMax = 256;

interface IssuedToken {
  token: string;
  expiresMs: number;
}

/**
 * Tokens between services: HS256 over the shared secret, audience = the callee, at most 5 minutes.
 * Both directions are cached, so that a busy pair of services signs and verifies once in minutes.
 */
export class ServiceTokens {
  readonly #caller: string;
  readonly #key: Uint8Array;
  readonly #issued = new Map<string, Promise<IssuedToken>>();
  readonly #verified = new Map<string, { caller: string; expiresMs: number }>();

  constructor(caller: string, secret: string) {
    this.#caller = caller;
    this.#key = new TextEncoder().encode(secret);
  }

  /** A token of this service for a callee. */
  async issue(audience: string): Promise<string> {
    const cached = await this.#issued.get(audience);
    if (cached !== undefined && cached.expiresMs - refreshMarginMs > Date.now()) return cached.token;
    const signing = this.#sign(audience);
    this.#issued.set(audience, signing);
    return (await signing).token;
  }

  /** @throws AppError `token_expired` or `token_invalid`. */
  async verify(token: string, audience: string): Promise<{ caller: string }> {
    const cacheKey = `${audience} ${token}`;
    const known = this.#verified.get(cacheKey);
    if (known !== undefined && known.expiresMs > Date.now()) return { caller: known.caller };
    const verified = await this.#check(token, audience);
    if (this.#verified.size >= verifiedMax) this.#verified.delete(this.#verified.keys().next().value ?? '');
    this.#verified.set(cacheKey, verified);
    return { caller: verified.caller };
  }

  async #sign(audience: string): Promise<IssuedToken> {
    const expiresMs = Date.now() + limits.serviceTokenMs;
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(this.#caller)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(Math.floor(expiresMs / 1_000))
      .sign(this.#key);
    return { token, expiresMs };
  }

  async #check(token: string, audience: string): Promise<{ caller: string; expiresMs: number }> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        audience,
        algorithms: ['HS256'],
        requiredClaims: ['iss', 'exp', 'iat'],
        maxTokenAge: limits.serviceTokenMs / 1_000 + 30,
      });
      return { caller: payload.iss ?? '', expiresMs: (payload.exp ?? 0) * 1_000 };
    } catch (error) {
      throw new AppError(error instanceof errors.JWTExpired ? 'token_expired' : 'token_invalid', { cause: error });
    }
  }
}
