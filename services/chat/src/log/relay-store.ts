import type { StoredClass } from '@boardwire/contracts';
import type { Database, PreparedStatement } from '@boardwire/database';
import { bounds } from '../bounds.ts';

/** A row as it goes to the mirror. */
export interface RelayRow {
  seq: number;
  epoch: string;
  subject: string;
  type: string;
  class: StoredClass;
  committedMs: number;
  /** Hexadecimal. */
  datahash: string;
  /** Null when the event was removed. */
  body: string | null;
}

const page: PreparedStatement = {
  name: 'relay_page',
  sql: `
    SELECT e.seq, h.epoch, s.subject, s.type, s.class,
      floor(extract(epoch FROM e.committed_at) * 1000)::bigint AS "committedMs", encode(e.datahash, 'hex') AS datahash, e.body
    FROM board_head h
    JOIN LATERAL (
      SELECT *, sum(coalesce(octet_length(body), 0)) OVER (ORDER BY seq) - coalesce(octet_length(body), 0) AS before
      FROM (SELECT * FROM event WHERE board_id = $1 AND seq > $2 ORDER BY seq LIMIT $3) AS next
    ) AS e ON e.before < $4::bigint
    JOIN board_subject s ON s.id = e.subject_id
    WHERE h.board_id = $1 ORDER BY e.seq`,
  timeoutMs: 5_000,
};

const raiseMark: PreparedStatement = {
  name: 'relay_mark',
  sql: 'UPDATE relay_mark SET seq = $2 WHERE board_id = $1 AND seq < $2',
  timeoutMs: 2_000,
};

export class RelayStore {
  constructor(private readonly database: Database) {}

  async mark(boardId: number): Promise<number> {
    const [row] = await this.database.query<{ seq: number }>('SELECT seq FROM relay_mark WHERE board_id = $1', [
      boardId,
    ]);
    return row?.seq ?? 0;
  }

  /** The next rows of a board under its epoch of now. */
  async page(boardId: number, after: number): Promise<RelayRow[]> {
    return this.database.prepared<RelayRow>(page, [boardId, after, bounds.relayPageEvents, bounds.rangeBytesMax]);
  }

  /** The mark only rises, so a leader that was cut off does no harm. */
  async raiseMark(boardId: number, seq: number): Promise<void> {
    await this.database.prepared(raiseMark, [boardId, seq]);
  }
}
