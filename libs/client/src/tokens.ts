import type { Session } from '@boardwire/contracts';
import { BoardwireError } from './errors.ts';

/** Where requests and streams get their access token. */
export interface TokenSource {
  /** A token that is not about to expire; renews it first when needed. */
  current(): Promise<string>;
  /** A token other than the one just refused. Callers that come together share one renewal. */
  renew(refused: string): Promise<string>;
  /** Local time at which a token should be replaced while it is still good; undefined when that can't be told. */
  renewAt(token: string): number | undefined;
  /** The account the tokens speak for, once that is known. */
  accountId(): string | undefined;
}

/** A signed-in session and the local time it was obtained at; plain data, to be kept in any storage. */
export interface KeptSession extends Session {
  obtainedAtMs: number;
}

/** Renew when this share of a token's life is over. */
const renewalShare = 0.8;

/** Keeps a session's tokens: renews before expiry, once for all who wait, and forgets the session when refused. */
export class SessionTokens implements TokenSource {
  #session: KeptSession | undefined;
  #renewal: Promise<string> | undefined;
  readonly #listeners = new Set<(session: KeptSession | undefined) => void>();
  readonly #refresh: (refreshToken: string) => Promise<Session>;

  constructor(refresh: (refreshToken: string) => Promise<Session>, session?: KeptSession) {
    this.#refresh = refresh;
    this.#session = session;
  }

  get session(): KeptSession | undefined {
    return this.#session;
  }

  onChange(listener: (session: KeptSession | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  set(session: Session | undefined): void {
    this.#session = session === undefined ? undefined : { ...session, obtainedAtMs: Date.now() };
    for (const listener of this.#listeners) listener(this.#session);
  }

  async current(): Promise<string> {
    const session = this.#session;
    if (session === undefined) throw new BoardwireError('signed_out');
    return Date.now() < renewalTime(session) ? session.accessToken : this.renew(session.accessToken);
  }

  async renew(refused: string): Promise<string> {
    const session = this.#session;
    if (session === undefined) throw new BoardwireError('signed_out');
    if (session.accessToken !== refused) return session.accessToken;
    this.#renewal ??= this.#renewNow(session).finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  renewAt(token: string): number | undefined {
    return this.#session?.accessToken === token ? renewalTime(this.#session) : undefined;
  }

  accountId(): string | undefined {
    return this.#session?.user.id;
  }

  async #renewNow(session: KeptSession): Promise<string> {
    try {
      const next = await this.#refresh(session.refreshToken);
      // A sign-out or another sign-in while the answer was on its way wins.
      if (this.#session !== session) throw new BoardwireError('signed_out');
      this.set(next);
      return next.accessToken;
    } catch (error) {
      const isRefused = error instanceof BoardwireError && [400, 401, 403].includes(error.status ?? 0);
      if (isRefused && this.#session === session) this.set(undefined);
      throw error;
    }
  }
}

/** Tokens from elsewhere: another issuer, a server side, a test. */
export class ProvidedTokens implements TokenSource {
  #token: string | undefined;
  #obtainedAtMs = 0;
  #pending: Promise<string> | undefined;
  readonly #provide: () => Promise<string>;

  constructor(provide: () => Promise<string>) {
    this.#provide = provide;
  }

  async current(): Promise<string> {
    const token = this.#token;
    return token !== undefined && Date.now() < (this.renewAt(token) ?? Infinity) ? token : this.#obtain();
  }

  async renew(refused: string): Promise<string> {
    return this.#token === undefined || this.#token === refused ? this.#obtain() : this.#token;
  }

  renewAt(token: string): number | undefined {
    const lifeMs = token === this.#token ? lifetimeOf(token) : undefined;
    return lifeMs === undefined ? undefined : this.#obtainedAtMs + lifeMs * renewalShare;
  }

  /** Read without verifying: only the site's own look at the token counts. */
  accountId(): string | undefined {
    const subject = this.#token === undefined ? undefined : claimsOf(this.#token)?.['sub'];
    return typeof subject === 'string' ? subject : undefined;
  }

  async #obtain(): Promise<string> {
    this.#pending ??= this.#provide().finally(() => {
      this.#pending = undefined;
    });
    const token = await this.#pending;
    if (token !== this.#token) {
      this.#token = token;
      this.#obtainedAtMs = Date.now();
    }
    return token;
  }
}

/** By the token's own length of life, not by the server's clock: ours may be minutes off. */
function renewalTime(session: KeptSession): number {
  const lifeMs = lifetimeOf(session.accessToken) ?? Date.parse(session.expiresAt) - session.obtainedAtMs;
  return session.obtainedAtMs + lifeMs * renewalShare;
}

function lifetimeOf(token: string): number | undefined {
  const claims = claimsOf(token);
  const [issued, expires] = [claims?.['iat'], claims?.['exp']];
  return typeof issued === 'number' && typeof expires === 'number' ? (expires - issued) * 1000 : undefined;
}

function claimsOf(token: string): Record<string, unknown> | undefined {
  try {
    const payload = token.split('.')[1] ?? '';
    return JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/'))) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
