import { limits, type IgnoreList } from '@boardwire/contracts';
import type { Database, DecisionOutbox } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { AttemptLimiter } from '../accounts/attempt-limiter.ts';
import { bounds } from '../bounds.ts';
import { available } from '../store/available.ts';
import type { IgnoreStore } from './ignore-store.ts';

export interface IgnoresOptions {
  database: Database;
  store: IgnoreStore;
  decisions: DecisionOutbox;
  /** The site's id, once it is known. */
  siteId: () => string | undefined;
  /** Somebody's ignores changed, and that is committed. */
  onChanged: () => void;
}

/** Whom people don't want to hear of. Gateways keep it from them; here it is only known. */
export class Ignores {
  readonly #attempts = new AttemptLimiter({ windowMs: bounds.attemptsWindowMs, keysMax: bounds.attemptKeysMax });

  constructor(private readonly options: IgnoresOptions) {}

  /** People of this site by their ids alone, as they are named when they are ignored. */
  async list(userId: string): Promise<IgnoreList> {
    const { database, store } = this.options;
    const [found] = await available(() => store.some(database, [userId]));
    const here = `@${this.#siteId()}`;
    const authors = (found?.authors ?? []).map((one) => (one.endsWith(here) ? one.slice(0, -here.length) : one));
    return { authors: authors.toSorted() };
  }

  /** @throws AppError `invalid` for oneself, `conflict` when there are too many */
  async add(userId: string, author: string): Promise<void> {
    const ignored = this.#whole(author);
    if (ignored === this.#whole(userId)) throw new AppError('invalid', { detail: 'nobody ignores themselves' });
    await this.#change(userId, ignored, 'ignore.set');
  }

  async end(userId: string, author: string): Promise<void> {
    await this.#change(userId, this.#whole(author), 'ignore.end');
  }

  async #change(userId: string, author: string, action: 'ignore.set' | 'ignore.end'): Promise<void> {
    const { database, store, decisions, onChanged } = this.options;
    // Every change is told to every gateway.
    this.#attempts.assertMay({ [userId]: bounds.ignoreChangesPerMinute });
    this.#attempts.note([userId]);
    const isChanged = await available(() =>
      database.transaction(async (transaction) => {
        const ignored = { userId, author };
        const isSet = action === 'ignore.set';
        if (!(await (isSet ? store.add(transaction, ignored) : store.end(transaction, ignored)))) return false;
        if (isSet && (await store.count(transaction, userId)) > limits.ignoredPerAccountMax) {
          throw new AppError('conflict', { detail: `at most ${limits.ignoredPerAccountMax} authors are ignored` });
        }
        await decisions.add(transaction, { action, outcome: 'done', actor: userId, detail: { author } });
        return true;
      }),
    );
    if (isChanged) onChanged();
  }

  /** With its site, as every event says who wrote it. */
  #whole(author: string): string {
    return author.includes('@') ? author : `${author}@${this.#siteId()}`;
  }

  #siteId(): string {
    const siteId = this.options.siteId();
    if (siteId === undefined) throw new AppError('starting', { detail: 'the site has no identity yet' });
    return siteId;
  }
}
