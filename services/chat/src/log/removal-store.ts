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

  /** An event that can be removed, or has been; its board's log doesn't change until the transaction ends. */
  async find(transaction: Queryable, boardId: number, seq: number): Promise<RemovableEvent | undefined> {
    await transaction.query('SELECT 1 FROM board_head WHERE board_id = $1 FOR UPDATE', [boardId]);
    return (await transaction.query<RemovableEvent>(findEvent, [boardId, seq]))[0];
  }

  /** Of one that `find` has found. @param isTold readers need not be told: they have been, or will be by another site */
  async remove(
    transaction: Queryable,
    { boardId, seq, subject }: RemovableEvent,
    { actor, isTold }: { actor: string; isTold: boolean },
  ): Promise<void> {
    await transaction.query(
      String.raw`UPDATE event SET body = NULL, salt = '\x', content_hash = '\x' WHERE board_id = $1 AND seq = $2`,
      [boardId, seq],
    );
    await transaction.query(
      'INSERT INTO removal (board_id, seq, subject, actor, is_told) VALUES ($1, $2, $3, $4, $5)',
      [boardId, seq, subject, actor.slice(0, 256), isTold],
    );
    await transaction.query('UPDATE board_head SET removals = removals + 1 WHERE board_id = $1', [boardId]);
  }

  async seqOf(transaction: Queryable, key: string): Promise<number | undefined> {
    return (await transaction.query<{ seq: number }>('SELECT seq FROM event WHERE key = $1', [key]))[0]?.seq;
  }

  /** Removals that readers haven't been told of, the oldest of each board first. */
  async toTell(): Promise<UntoldRemoval[]> {
    return this.database.query<UntoldRemoval>(
      `SELECT r.board_id AS "boardId", b.slug, r.seq, r.subject, r.actor, r.at, e.origin, e.source, e.event_id AS id
       FROM removal r JOIN board b ON b.id = r.board_id JOIN event e ON (e.board_id, e.seq) = (r.board_id, r.seq)
       WHERE NOT r.is_told ORDER BY r.board_id, r.seq LIMIT 100`,
    );
  }

  async noteTold(told: readonly UntoldRemoval[]): Promise<void> {
    await this.database.query(
      `UPDATE removal r SET is_told = true FROM unnest($1::int[], $2::bigint[]) AS t (board_id, seq)
       WHERE (r.board_id, r.seq) = (t.board_id, t.seq)`,
      [told.map(({ boardId }) => boardId), told.map(({ seq }) => seq)],
    );
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

export interface RemovableEvent {
  boardId: number;
  seq: number;
  subject: string;
  type: string;
  /** The site that accepted it; null for this one. */
  origin: string | null;
  /** Its stored bytes; null when they were removed, and who did that then. */
  body: string | null;
  removedBy: string | null;
}

/** With what names the event on every site. */
export interface UntoldRemoval {
  boardId: number;
  slug: string;
  seq: number;
  subject: string;
  actor: string;
  at: Date;
  origin: string | null;
  source: string;
  id: string;
}

const findEvent = `
  SELECT e.board_id AS "boardId", e.seq, s.subject, s.type, e.origin, e.body, r.actor AS "removedBy"
  FROM event e JOIN board_subject s ON s.id = e.subject_id JOIN board_head h ON h.board_id = e.board_id
    LEFT JOIN removal r ON (r.board_id, r.seq) = (e.board_id, e.seq)
  WHERE e.board_id = $1 AND e.seq = $2 AND (e.seq > h.pruned OR s.class = 'state')`;
