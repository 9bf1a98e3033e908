import type { Ignores } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import { nextControlVersion } from '../boards/board-store.ts';

interface Ignored {
  userId: string;
  author: string;
}

const whole = (where: string) =>
  `SELECT user_id AS "userId", array_agg(author ORDER BY author) AS authors FROM ignored ${where} GROUP BY user_id`;

/** Whom everybody ignores, each as `author@site`. */
export class IgnoreStore {
  all(queryable: Queryable): Promise<Ignores[]> {
    return queryable.query<Ignores>(whole(''));
  }

  /** Of those who ignore anybody. */
  some(queryable: Queryable, userIds: readonly string[]): Promise<Ignores[]> {
    return queryable.query<Ignores>(whole('WHERE user_id = ANY($1)'), [userIds]);
  }

  async count(queryable: Queryable, userId: string): Promise<number> {
    const sql = 'SELECT count(*) AS count FROM ignored WHERE user_id = $1';
    return (await queryable.query<{ count: number }>(sql, [userId]))[0]!.count;
  }

  /** @returns whether anything changed */
  add(transaction: Queryable, ignored: Ignored): Promise<boolean> {
    return change(transaction, ignored, 'INSERT INTO ignored VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1');
  }

  /** @returns whether anything changed */
  end(transaction: Queryable, ignored: Ignored): Promise<boolean> {
    return change(transaction, ignored, 'DELETE FROM ignored WHERE user_id = $1 AND author = $2 RETURNING 1');
  }
}

async function change(transaction: Queryable, { userId, author }: Ignored, sql: string): Promise<boolean> {
  // Before anything else: it orders the changes of what gateways are told.
  const version = await nextControlVersion(transaction);
  if ((await transaction.query(sql, [userId, author])).length === 0) return false;
  await transaction.query("INSERT INTO control_change (version, kind, user_id) VALUES ($1, 'ignores_changed', $2)", [
    version,
    userId,
  ]);
  return true;
}
