import type { Queryable } from '@boardwire/database';
import { nextControlVersion } from '../boards/board-store.ts';

export interface MembershipRow {
  boardId: number;
  userId: string;
  subjects: string[];
}

const columns = 'board_id AS "boardId", user_id AS "userId", subjects';

export class MembershipStore {
  all(queryable: Queryable): Promise<MembershipRow[]> {
    return queryable.query<MembershipRow>(`SELECT ${columns} FROM membership`);
  }

  /** Those of the pairs that there are. */
  some(queryable: Queryable, pairs: readonly { boardId: number; userId: string }[]): Promise<MembershipRow[]> {
    return queryable.query<MembershipRow>(
      `SELECT ${columns} FROM membership
       WHERE (board_id, user_id) IN (SELECT * FROM unnest($1::int[], $2::text[]))`,
      [pairs.map(({ boardId }) => boardId), pairs.map(({ userId }) => userId)],
    );
  }

  /** In the order of user ids, from behind one on. */
  page(queryable: Queryable, boardId: number, { after, limit }: { after: string; limit: number }) {
    return queryable.query<MembershipRow>(
      `SELECT ${columns} FROM membership WHERE board_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3`,
      [boardId, after, limit],
    );
  }

  async count(queryable: Queryable, boardId: number): Promise<number> {
    const sql = 'SELECT count(*) AS count FROM membership WHERE board_id = $1';
    return (await queryable.query<{ count: number }>(sql, [boardId]))[0]!.count;
  }

  /** No subjects end it. @returns whether anything changed. */
  async set(transaction: Queryable, { boardId, userId, subjects }: MembershipRow): Promise<boolean> {
    // Before anything else: it orders the changes of rights.
    const version = await nextControlVersion(transaction);
    const changed =
      subjects.length === 0
        ? await transaction.query('DELETE FROM membership WHERE board_id = $1 AND user_id = $2 RETURNING 1', [
            boardId,
            userId,
          ])
        : await transaction.query(upsert, [boardId, userId, subjects]);
    if (changed.length === 0) return false;
    await transaction.query(
      "INSERT INTO control_change (version, kind, board_id, user_id) VALUES ($1, 'membership_changed', $2, $3)",
      [version, boardId, userId],
    );
    return true;
  }
}

const upsert = `
  INSERT INTO membership (board_id, user_id, subjects) VALUES ($1, $2, $3)
  ON CONFLICT (board_id, user_id) DO UPDATE SET subjects = EXCLUDED.subjects, changed_at = now()
    WHERE membership.subjects <> EXCLUDED.subjects
  RETURNING 1`;
