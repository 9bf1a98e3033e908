import type { Database, DecisionOutbox, Queryable } from '@boardwire/database';
import type { AccountStore } from './account-store.ts';
import type { Passwords } from './passwords.ts';
import type { SessionStore } from './session-store.ts';

export interface EnsureAdminOptions {
  database: Database;
  accounts: AccountStore;
  sessions: SessionStore;
  passwords: Passwords;
  decisions: DecisionOutbox;
}

const name = 'admin';
const actor = 'configuration';

/** Makes the administrator, or gives it the configured password; a changed password ends all its sessions. */
export async function ensureAdmin(options: EnsureAdminOptions, password: string): Promise<void> {
  const { database, accounts, sessions, passwords, decisions } = options;
  const known = await accounts.byName(database, name);
  if (known !== undefined && (await passwords.matches(known.passwordHash ?? undefined, password))) return;
  const passwordHash = await passwords.hash(password);
  const decide = (transaction: Queryable, action: string) =>
    decisions.add(transaction, { action, outcome: 'done', actor, detail: { name } });
  await database.transaction(async (transaction) => {
    if (known === undefined) {
      // Another replica that starts at the same moment makes it with the same password.
      const made = await accounts.create(transaction, { name, isGuest: false, roles: ['admin'], passwordHash });
      if (made !== undefined) await decide(transaction, 'account.create');
      return;
    }
    await accounts.setPassword(transaction, known.id, passwordHash);
    for (const sessionId of await sessions.living(transaction, known.id)) {
      // oxlint-disable-next-line no-await-in-loop -- one connection
      await sessions.end(transaction, sessionId, 'password changed');
    }
    await decide(transaction, 'account.password');
  });
}
