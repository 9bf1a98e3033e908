import { sessionSchema, userSchema, type Session, type User } from '@boardwire/contracts';
import type { Contract, HttpDoor } from './http-door.ts';
import type { SessionTokens } from './tokens.ts';

const meSchema: Contract<User> = {
  // `me` may carry more than the user; what is needed is checked, the rest is left.
  safeParse: (value) => userSchema.safeParse((value as { user?: unknown } | undefined)?.user ?? value),
};
const nothing: Contract<void> = { safeParse: () => ({ success: true, data: undefined }) };

/** Signing in and out. Each successful sign-in becomes the client's session. */
export class Accounts {
  readonly #door: HttpDoor;
  readonly #tokens: SessionTokens;

  constructor(door: HttpDoor, tokens: SessionTokens) {
    this.#door = door;
    this.#tokens = tokens;
  }

  /** Fails with `name_taken` or `invalid`. */
  register(name: string, password: string): Promise<Session> {
    return this.#signIn('register', { name, password });
  }

  /** Fails with `credentials_refused`. */
  login(name: string, password: string): Promise<Session> {
    return this.#signIn('login', { name, password });
  }

  /** Fails with `name_taken`, `invalid`, or `guests_off`. */
  guest(nickname: string): Promise<Session> {
    return this.#signIn('guest', { nickname });
  }

  me(): Promise<User> {
    return this.#door.request({ path: '/v1/auth/me', answer: meSchema });
  }

  /** Ends the session here at once and on the site as soon as it is reached; its streams close within a second. */
  async logout(): Promise<void> {
    const session = this.#tokens.session;
    if (session === undefined) return;
    const ending = this.#door.request({
      method: 'POST',
      path: '/v1/auth/logout',
      body: { refreshToken: session.refreshToken },
      answer: nothing,
    });
    await ending.finally(() => this.#tokens.set(undefined));
  }

  async #signIn(way: 'register' | 'login' | 'guest', body: Record<string, string>): Promise<Session> {
    const session = await this.#door.request({
      method: 'POST',
      path: `/v1/auth/${way}`,
      body,
      answer: sessionSchema,
      isAnonymous: true,
    });
    this.#tokens.set(session);
    return session;
  }
}
