import type { FollowerMarks } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { bounds } from '../bounds.ts';

/** A board that keeps its events for so many days only. */
export interface LimitedBoard {
  id: number;
  slug: string;
  epoch: string;
  pruned: number;
  relayed: number;
  days: number;
}

/** How far a board's next events have outlived their retention. */
export interface Expired {
  /** Up to here all are older than the board keeps them; no further than one page looks. */
  due: number;
  /** Up to here they have waited for a follower as long as anything may. */
  overdue: number;
}

/** Removes what has outlived its board's retention. Everything here may be repeated, and done by two at once. */
export class RetentionStore {
  constructor(private readonly database: Database) {}

  limitedBoards(): Promise<LimitedBoard[]> {
    return this.database.query<LimitedBoard>(
      `SELECT b.id, b.slug, h.epoch, h.pruned, m.seq AS relayed, b.retention_days AS days
       FROM board b JOIN board_head h ON h.board_id = b.id JOIN relay_mark m ON m.board_id = b.id
       WHERE b.retention_days IS NOT NULL`,
    );
  }

  /** A clock that went back leaves younger events before older ones: an event never goes before its predecessors. */
  async expired({ id, pruned, days }: LimitedBoard): Promise<Expired> {
    const [row] = await this.database.query<Expired>(
      `WITH next AS (SELECT seq, committed_at FROM event WHERE board_id = $1 AND seq > $2 ORDER BY seq LIMIT $3)
       SELECT ${lastOlderThan('$4')} AS due, ${lastOlderThan('$5')} AS overdue FROM next`,
      [id, pruned, bounds.pruneRowsMax, days, days + bounds.pruneWaitDaysMax],
    );
    return row!;
  }

  /** What a follower has stored of the board's epoch of now; absent when it has not said. */
  async marks({ id, epoch }: LimitedBoard): Promise<Map<string, number>> {
    const rows = await this.database.query<{ follower: string; seq: number }>(
      'SELECT follower, seq FROM follower_mark WHERE board_id = $1 AND epoch = $2',
      [id, epoch],
    );
    return new Map(rows.map(({ follower, seq }) => [follower, seq]));
  }

  async noteMarks(follower: string, { marks }: FollowerMarks): Promise<void> {
    await this.database.query(
      `INSERT INTO follower_mark (follower, board_id, epoch, seq)
       SELECT $1, b.id, m.epoch, m.seq FROM jsonb_to_recordset($2::jsonb) AS m(board text, epoch text, seq bigint)
       JOIN board b ON b.slug = m.board
       ON CONFLICT (follower, board_id) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, at = now()`,
      [follower, JSON.stringify(marks)],
    );
  }

  /** From its commit on no reader gets an event up to `seq`; the rows go afterwards. */
  async raisePruned(boardId: number, seq: number): Promise<void> {
    await this.database.query('UPDATE board_head SET pruned = $2 WHERE board_id = $1 AND pruned < $2', [boardId, seq]);
  }

  /** One portion of the rows up to `seq`. @returns how many it removed */
  async removeRows(boardId: number, seq: number): Promise<number> {
    const [row] = await this.database.query<{ removed: number }>(removeRows, [boardId, seq, bounds.pruneRowsMax]);
    return row!.removed;
  }
}

const lastOlderThan = (days: string) => `
  coalesce(min(seq) FILTER (WHERE committed_at >= now() - make_interval(days => ${days}::int)) - 1, max(seq), $2)`;

/** The newest event of a subject of class `state` is what the subject is now, however old. */
const removeRows = `
  WITH expired AS MATERIALIZED (
    SELECT e.seq FROM event e JOIN board_subject s ON s.id = e.subject_id
    WHERE e.board_id = $1 AND e.seq <= $2 AND (s.class = 'log' OR EXISTS (
      SELECT FROM board_subject same JOIN event newer ON newer.subject_id = same.id AND newer.seq > e.seq
      WHERE same.board_id = $1 AND same.subject = s.subject AND same.class = 'state'
    ))
    ORDER BY e.seq LIMIT $3
  ), removed AS (
    DELETE FROM event USING expired WHERE event.board_id = $1 AND event.seq = expired.seq RETURNING 1
  )
  SELECT count(*) AS removed FROM removed`;
