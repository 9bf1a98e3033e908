import type { RemovedSeqs } from '@boardwire/contracts';
import type { Database, Queryable } from '@boardwire/database';
import { bounds } from '../bounds.ts';

/** What is still to be cleared from the mirror. */
export interface MirroredRemoval {
  boardId: number;
  slug: string;
  subject: string;
  /** The highest removed seq on the subject that the mirror has. */
  through: number;
}

/** Removes the content of events, and keeps which ones. */
export class RemovalStore {
  constructor(private readonly database: Database) {}

  /** False when there is no such event. Removing it again changes nothing. */
  async remove(transaction: Queryable, { boardId, seq, actor }: RemovedEvent): Promise<boolean> {
    await transaction.query('SELECT 1 FROM board_head WHERE board_id = $1 FOR UPDATE', [boardId]);
    const [event] = await transaction.query<{ subject: string; isThere: boolean }>(findEvent, [boardId, seq]);
    if (event === undefined) return false;
    if (!event.isThere) return true;
    await transaction.query(
      String.raw`UPDATE event SET body = NULL, salt = '\x', content_hash = '\x' WHERE board_id = $1 AND seq = $2`,
      [boardId, seq],
    );
    await transaction.query('INSERT INTO removal (board_id, seq, subject, actor) VALUES ($1, $2, $3, $4)', [
      boardId,
      seq,
      event.subject,
      actor.slice(0, 256),
    ]);
    await transaction.query('UPDATE board_head SET removals = removals + 1 WHERE board_id = $1', [boardId]);
    return true;
  }

  /** The newest ones from a seq on and below another. */
  async removedFrom(boardId: number, from: number, before?: number): Promise<RemovedSeqs> {
    const [row] = await this.database.query<{ removals: number; seqs: string[] }>(
      `SELECT h.removals, ARRAY(
         SELECT seq FROM removal WHERE board_id = $1 AND seq >= $2 AND ($4::bigint IS NULL OR seq < $4) ORDER BY seq DESC LIMIT $3
       )::text[] AS seqs
       FROM board_head h WHERE h.board_id = $1`,
      [boardId, from, bounds.removedPageMax, before ?? null],
    );
    return { removals: row?.removals ?? 0, seqs: (row?.seqs ?? []).map(Number) };
  }

  /** What the mirror has and must not have any more, a subject at a time. */
  async toClear(): Promise<MirroredRemoval[]> {
    return this.database.query<MirroredRemoval>(
      `SELECT r.board_id AS "boardId", b.slug, r.subject, max(r.seq) AS through
       FROM removal r JOIN board b ON b.id = r.board_id JOIN relay_mark m ON m.board_id = r.board_id
       WHERE NOT r.is_mirror_cleared AND r.seq <= m.seq GROUP BY 1, 2, 3 LIMIT 100`,
    );
  }

  async noteCleared({ boardId, subject, through }: MirroredRemoval): Promise<void> {
    await this.database.query(
      'UPDATE removal SET is_mirror_cleared = true WHERE board_id = $1 AND subject = $2 AND seq <= $3',
      [boardId, subject, through],
    );
  }
}

export interface RemovedEvent {
  boardId: number;
  seq: number;
  actor: string;
}

const findEvent = `
  SELECT s.subject, e.body IS NOT NULL AS "isThere"
  FROM event e JOIN board_subject s ON s.id = e.subject_id JOIN board_head h ON h.board_id = e.board_id
  WHERE e.board_id = $1 AND e.seq = $2 AND (e.seq > h.pruned OR s.class = 'state')`;
