import { AppError } from '@boardwire/service-kit';
import argon2 from 'argon2';
import { bounds } from '../bounds.ts';

/** OWASP's minimum for argon2id: a wrong guess costs 19 MiB and about 20 ms. */
const cost = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/**
 * Hashes and checks passwords, a few at a time: each takes a thread of the pool that files and names are resolved with.
 */
export class Passwords {
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #decoy: Promise<string> | undefined;

  /** @throws AppError `overloaded` */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => argon2.hash(normal(password), cost));
  }

  /**
   * Takes as long for a name that doesn't exist (no hash) as for a wrong password: names can't be told by time.
   * @throws AppError `overloaded`
   */
  async matches(hash: string | undefined, password: string): Promise<boolean> {
    const decoy = await this.#decoyHash();
    const isMatch = await this.#inTurn(() => argon2.verify(hash ?? decoy, normal(password)));
    return isMatch && hash !== undefined;
  }

  #decoyHash(): Promise<string> {
    return (this.#decoy ??= this.hash('nobody has this password').catch((error: unknown) => {
      this.#decoy = undefined;
      throw error;
    }));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length >= bounds.passwordsWaitingMax) throw new AppError('overloaded');
    if (this.#running >= bounds.passwordsAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

/** The same password typed on another keyboard may come in other code points. */
const normal = (password: string) => password.normalize('NFKC');
