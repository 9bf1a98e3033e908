import { fold, type Role } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import { uuidv7 } from 'uuidv7';

export interface Account {
  id: string;
  name: string;
  isGuest: boolean;
  roles: Role[];
  passwordHash: string | null;
}

export interface NewAccount {
  name: string;
  isGuest: boolean;
  roles: readonly Role[];
  passwordHash?: string;
}

const columns = 'id, name, is_guest AS "isGuest", roles, password_hash AS "passwordHash"';

/** Accounts, found by id or by folded name. */
export class AccountStore {
  async byName(queryable: Queryable, name: string): Promise<Account | undefined> {
    const sql = `SELECT ${columns} FROM account WHERE folded_name = $1`;
    return (await queryable.query<Account>(sql, [fold(name)]))[0];
  }

  async byId(queryable: Queryable, id: string): Promise<Account | undefined> {
    return (await queryable.query<Account>(`SELECT ${columns} FROM account WHERE id = $1`, [id]))[0];
  }

  /** Undefined when the name is taken. The name of a guest who has gone is free. */
  async create(transaction: Queryable, wanted: NewAccount): Promise<Account | undefined> {
    return (
      (await this.#insert(transaction, wanted)) ??
      ((await this.#freeGuestName(transaction, wanted.name)) ? this.#insert(transaction, wanted) : undefined)
    );
  }

  async setPassword(transaction: Queryable, id: string, passwordHash: string): Promise<void> {
    await transaction.query('UPDATE account SET password_hash = $2 WHERE id = $1', [id, passwordHash]);
  }

  async #insert(transaction: Queryable, wanted: NewAccount): Promise<Account | undefined> {
    const { name, isGuest, roles, passwordHash } = wanted;
    const rows = await transaction.query<Account>(
      `INSERT INTO account (id, name, folded_name, is_guest, roles, password_hash) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (folded_name) DO NOTHING RETURNING ${columns}`,
      [uuidv7(), name, fold(name), isGuest, roles, passwordHash ?? null],
    );
    return rows[0];
  }

  /** The account stays, for the events that name it; only the name goes. */
  async #freeGuestName(transaction: Queryable, name: string): Promise<boolean> {
    const rows = await transaction.query(
      `UPDATE account SET folded_name = NULL WHERE folded_name = $1 AND is_guest AND NOT EXISTS (
         SELECT FROM session WHERE account_id = account.id AND ended_at IS NULL AND expires_at > now()
       ) RETURNING id`,
      [fold(name)],
    );
    return rows.length > 0;
  }
}
