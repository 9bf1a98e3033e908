import { fold, type ChangeAccount, type Role, type Session, type User } from '@boardwire/contracts';
import type { Database, DecisionOutbox, Queryable } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { bounds } from '../bounds.ts';
import type { ChatMetrics } from '../metrics.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Account, AccountStore, NewAccount } from './account-store.ts';
import { AttemptLimiter } from './attempt-limiter.ts';
import { available } from '../store/available.ts';
import type { Passwords } from './passwords.ts';
import type { OpenedSession, SessionStore } from './session-store.ts';

export interface AccountsOptions {
  database: Database;
  accounts: AccountStore;
  sessions: SessionStore;
  passwords: Passwords;
  tokens: AccessTokens;
  decisions: DecisionOutbox;
  metrics: ChatMetrics;
  takesGuests: boolean;
  /** A session has ended, and that is committed. */
  onEnded: (sessionId: string, userId: string) => void;
  /** What an account may do has changed, and that is committed. */
  onRightsChanged: () => void;
}

export interface Credentials {
  name: string;
  password: string;
}

/** Names that nobody can register; `admin` gets its password from the site's configuration. */
const reservedNames: ReadonlySet<string> = new Set(['admin', 'administrator', 'system', 'boardwire']);

/** Everything that begins, prolongs or ends a session. Each is a decision that audit hears of. */
export class Accounts {
  readonly #attempts = new AttemptLimiter({ windowMs: bounds.attemptsWindowMs, keysMax: bounds.attemptKeysMax });

  constructor(private readonly options: AccountsOptions) {}

  async register({ name, password }: Credentials, address?: string): Promise<Session> {
    this.#limit({ [`register ${address}`]: bounds.registrationsPerAddress }, address);
    assertNotReserved(name);
    const passwordHash = await this.options.passwords.hash(password);
    return this.#enter('account.register', { name, isGuest: false, roles: ['user'], passwordHash });
  }

  async guest(nickname: string, address?: string): Promise<Session> {
    if (!this.options.takesGuests) throw new AppError('guests_off');
    this.#limit({ [`guest ${address}`]: bounds.guestsPerAddress }, address);
    assertNotReserved(nickname);
    return this.#enter('account.guest', { name: nickname, isGuest: true, roles: ['guest'] });
  }

  /** An account with any roles, made by an administrator; it isn't signed in. */
  async create(credentials: Credentials, roles: readonly Role[], actor: string): Promise<User> {
    assertNotReserved(credentials.name);
    const { name, password } = credentials;
    const passwordHash = await this.options.passwords.hash(password);
    return this.#transaction(async (transaction) => {
      const account = await this.#create(transaction, { name, isGuest: false, roles, passwordHash });
      const detail = { account: account.id, name: account.name, roles: [...roles] };
      await this.options.decisions.add(transaction, { action: 'account.create', outcome: 'done', actor, detail });
      return userOf(account);
    });
  }

  /** Roles, and whether the account may be used at all. Open streams follow within a second. */
  async change(id: string, change: ChangeAccount, actor: string): Promise<User & { disabled: boolean }> {
    const { accounts, sessions, decisions, onEnded, onRightsChanged } = this.options;
    const { account, ended } = await this.#transaction(async (transaction) => {
      const changed = await accounts.change(transaction, id, change);
      if (changed === undefined) throw new AppError('not_found', { detail: 'no such account' });
      assertMayChange(changed, change);
      const living = change.disabled === true ? await sessions.living(transaction, id) : [];
      for (const sessionId of living) {
        // oxlint-disable-next-line no-await-in-loop -- one connection
        await sessions.end(transaction, sessionId, 'account disabled');
      }
      const detail = { account: id, ...JSON.parse(JSON.stringify(change)) } as Record<string, never>;
      await decisions.add(transaction, { action: 'account.change', outcome: 'done', actor, detail });
      return { account: changed, ended: living };
    });
    for (const sessionId of ended) onEnded(sessionId, id);
    onRightsChanged();
    return { ...userOf(account), disabled: account.isDisabled };
  }

  async login({ name, password }: Credentials, address?: string): Promise<Session> {
    const { database, accounts, passwords, sessions, metrics } = this.options;
    const [who, from] = [`login ${fold(name)} ${address}`, `login from ${address}`];
    const allowances = { [who]: bounds.attemptsPerName, ...(address === undefined ? {} : perAddress(from)) };
    this.#attempts.assertMay(allowances);
    // Counted before the check, so that a hundred at once don't all slip through.
    this.#attempts.note([who, from]);
    const account = await available(() => accounts.byName(database, name));
    if (!(await passwords.matches(account?.passwordHash ?? undefined, password)) || account === undefined) {
      await this.#refused(name, address);
    }
    this.#attempts.forget(who);
    if (account!.isDisabled) await this.#refused(name, address, 'forbidden');
    metrics.attempted('login', 'done');
    return this.#transaction(async (transaction) => {
      const session = await sessions.open(transaction, account!);
      await this.#decided(transaction, 'account.login', account!, session.sessionId);
      return { account: account!, session };
    }).then((entered) => this.#session(entered));
  }

  /**
   * A token works once. Who lost the answer gets it again for a moment; otherwise one that comes again was stolen from
   * somebody: the whole session ends, whoever holds it.
   */
  async refresh(refreshToken: string): Promise<Session> {
    const { accounts, sessions, metrics } = this.options;
    const answer = await this.#transaction(async (transaction) => {
      const found = await sessions.findToken(transaction, refreshToken);
      if (found === undefined) return 'token_invalid' as const;
      if (found.isEnded) return 'token_revoked' as const;
      const isRepeat = found.isUsed && (await sessions.isRepeat(transaction, refreshToken));
      if (found.isUsed && !isRepeat) {
        await this.#end(transaction, found, 'refresh token reused');
        return { stolen: found };
      }
      if (found.isExpired) return 'token_expired' as const;
      const account = await accounts.byId(transaction, found.accountId);
      if (account === undefined) throw new Error('a session without an account');
      const { sessionId } = found;
      const session = isRepeat
        ? { sessionId, refreshToken: sessions.nextToken(refreshToken) }
        : await sessions.rotate(transaction, account, { sessionId, refreshToken });
      return { account, session };
    });
    metrics.attempted('refresh', typeof answer === 'string' || 'stolen' in answer ? 'refused' : 'done');
    if (typeof answer === 'string') throw new AppError(answer);
    if (!('stolen' in answer)) return this.#session(answer);
    this.options.onEnded(answer.stolen.sessionId, answer.stolen.accountId);
    throw new AppError('token_revoked', { detail: 'the refresh token was used before: the session has ended' });
  }

  /** Ends the session of an identity, or of a refresh token. Harmless to repeat. */
  async logout(of: { sessionId: string; userId: string } | { refreshToken: string }): Promise<void> {
    const { sessions, onEnded } = this.options;
    const ended = await this.#transaction(async (transaction) => {
      const found =
        'refreshToken' in of
          ? await sessions.findToken(transaction, of.refreshToken)
          : { sessionId: of.sessionId, accountId: of.userId };
      if (found === undefined) throw new AppError('token_invalid');
      return (await this.#end(transaction, found, 'logout')) ? found : undefined;
    });
    if (ended !== undefined) onEnded(ended.sessionId, ended.accountId);
  }

  async user(id: string): Promise<User> {
    const account = await available(() => this.options.accounts.byId(this.options.database, id));
    if (account === undefined) throw new AppError('token_invalid');
    return userOf(account);
  }

  async #enter(action: string, wanted: NewAccount): Promise<Session> {
    const entered = await this.#transaction(async (transaction) => {
      const account = await this.#create(transaction, wanted);
      const session = await this.options.sessions.open(transaction, account);
      await this.#decided(transaction, action, account, session.sessionId);
      return { account, session };
    });
    this.options.metrics.attempted(action.replace('account.', ''), 'done');
    return this.#session(entered);
  }

  async #create(transaction: Queryable, wanted: NewAccount): Promise<Account> {
    const account = await this.options.accounts.create(transaction, wanted);
    if (account === undefined) throw new AppError('name_taken');
    return account;
  }

  async #session({ account, session }: { account: Account; session: OpenedSession }): Promise<Session> {
    const token = await this.options.tokens.issue(account, session.sessionId);
    return { ...token, refreshToken: session.refreshToken, user: userOf(account) };
  }

  async #refused(
    name: string,
    address: string | undefined,
    code: 'credentials_refused' | 'forbidden' = 'credentials_refused',
  ): Promise<never> {
    this.options.metrics.attempted('login', 'refused');
    const detail = address === undefined ? {} : { detail: { address } };
    const decision = { action: 'account.login', outcome: 'refused' as const, actor: printable(name), ...detail };
    await this.#transaction((transaction) => this.options.decisions.add(transaction, decision));
    throw new AppError(code, code === 'forbidden' ? { detail: 'the account is disabled' } : {});
  }

  async #end(
    transaction: Queryable,
    { sessionId, accountId }: { sessionId: string; accountId: string },
    reason: string,
  ): Promise<boolean> {
    if (!(await this.options.sessions.end(transaction, sessionId, reason))) return false;
    const action = reason === 'logout' ? 'account.logout' : 'session.revoke';
    const detail = { session: sessionId, reason };
    await this.options.decisions.add(transaction, { action, outcome: 'done', actor: accountId, detail });
    return true;
  }

  #decided(transaction: Queryable, action: string, account: Account, sessionId: string): Promise<void> {
    const detail = { name: account.name, session: sessionId };
    return this.options.decisions.add(transaction, { action, outcome: 'done', actor: account.id, detail });
  }

  /** Without an address (a call that no gateway forwarded) there is nobody to count for. */
  #limit(allowances: Readonly<Record<string, number>>, address: string | undefined): void {
    if (address === undefined) return;
    this.#attempts.assertMay(allowances);
    this.#attempts.note(Object.keys(allowances));
  }

  #transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    return available(() => this.options.database.transaction(work));
  }
}

const perAddress = (key: string) => ({ [key]: bounds.attemptsPerAddress });

const userOf = ({ id, name, roles }: Account): User => ({ id, name, roles });

/** A refused name goes into the audit log as it was sent, save what would break a line or a database. */
const printable = (name: string) => name.toWellFormed().replaceAll(/\p{C}/gu, '\ufffd') || '\ufffd';

/** Guests have no other roles, and the administrator's account is what the configuration says. */
function assertMayChange({ isGuest, name }: Account, { roles }: ChangeAccount): void {
  if (fold(name) === 'admin') throw new AppError('conflict', { detail: 'the configuration rules this account' });
  if (isGuest && roles !== undefined) throw new AppError('conflict', { detail: 'a guest keeps the role of guests' });
}

function assertNotReserved(name: string): void {
  if (reservedNames.has(fold(name))) throw new AppError('name_taken');
}
