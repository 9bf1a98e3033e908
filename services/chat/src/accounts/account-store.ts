import { fold, type Role } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import { uuidv7 } from 'uuidv7';
import { nextControlVersion } from '../boards/board-store.ts';

export interface Account {
  id: string;
  name: string;
  isGuest: boolean;
  roles: Role[];
  passwordHash: string | null;
  isDisabled: boolean;
}

export interface NewAccount {
  name: string;
  isGuest: boolean;
  roles: readonly Role[];
  passwordHash?: string;
}

const columns = `
  id, name, is_guest AS "isGuest", roles, password_hash AS "passwordHash", disabled_at IS NOT NULL AS "isDisabled"`;

/** Accounts, found by id or by folded name. */
export class AccountStore {
  async byName(queryable: Queryable, name: string): Promise<Account | undefined> {
    const sql = `SELECT ${columns} FROM account WHERE folded_name = $1`;
    return (await queryable.query<Account>(sql, [fold(name)]))[0];
  }

  async byId(queryable: Queryable, id: string): Promise<Account | undefined> {
    return (await queryable.query<Account>(`SELECT ${columns} FROM account WHERE id = $1`, [id]))[0];
  }

  byIds(queryable: Queryable, ids: readonly string[]): Promise<Account[]> {
    return queryable.query<Account>(`SELECT ${columns} FROM account WHERE id = ANY($1)`, [ids]);
  }

  /** Undefined fields stay. The caller has locked nothing: the change's version orders it. */
  async change(
    transaction: Queryable,
    id: string,
    change: { roles?: readonly Role[] | undefined; disabled?: boolean | undefined },
  ): Promise<Account | undefined> {
    const version = await nextControlVersion(transaction);
    const rows = await transaction.query<Account>(
      `UPDATE account SET roles = coalesce($2, roles),
         disabled_at = CASE WHEN $3::boolean IS NULL THEN disabled_at WHEN $3 THEN coalesce(disabled_at, now()) END
       WHERE id = $1 RETURNING ${columns}`,
      [id, change.roles ?? null, change.disabled ?? null],
    );
    if (rows[0] === undefined) return undefined;
    await transaction.query(
      "INSERT INTO control_change (version, kind, account_id) VALUES ($1, 'rights_changed', $2)",
      [version, id],
    );
    return rows[0];
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
