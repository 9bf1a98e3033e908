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
  sql: 'UPDATE relay_mark SET seq = $2 WHERE board_id = $1 AND seq < $2 AND rebuilds = $3',
  timeoutMs: 2_000,
};

/** The highest seq that is known to be in the mirror, since it was last put back. */
export interface RelayMark {
  seq: number;
  rebuilds: number;
}

export interface MirroredBoard {
  readonly id: number;
  readonly pruned: number;
  readonly head: number;
}

export class RelayStore {
  constructor(private readonly database: Database) {}

  async mark(boardId: number): Promise<RelayMark> {
    const [row] = await this.database.query<RelayMark>('SELECT seq, rebuilds FROM relay_mark WHERE board_id = $1', [
      boardId,
    ]);
    return row ?? { seq: 0, rebuilds: 0 };
  }

  /** The next rows of a board under its epoch of now. */
  async page(boardId: number, after: number): Promise<RelayRow[]> {
    return this.database.prepared<RelayRow>(page, [boardId, after, bounds.relayPageEvents, bounds.rangeBytesMax]);
  }

  /** The mark only rises, and not behind the back of whoever put it back, so a leader that was cut off does no harm. */
  async raiseMark(boardId: number, { seq, rebuilds }: RelayMark): Promise<void> {
    await this.database.prepared(raiseMark, [boardId, seq, rebuilds]);
  }

  /** Undefined ids: every board. */
  async askRebuild(boardIds?: readonly number[]): Promise<void> {
    await this.database.query(
      'UPDATE relay_mark SET rebuilds_asked = rebuilds_asked + 1 WHERE $1::int[] IS NULL OR board_id = ANY($1)',
      [boardIds ?? null],
    );
  }

  /** The board is to be published again from behind `seq`. What was asked meanwhile stays asked. */
  async putBack(boardId: number, seq: number, asked: number): Promise<void> {
    await this.database.query('UPDATE relay_mark SET seq = $2, rebuilds = $3 WHERE board_id = $1 AND rebuilds < $3', [
      boardId,
      seq,
      asked,
    ]);
  }

  /**
   * The last seq that the mirror needs no more: pruned, or committed before that moment. Commits are in the order of
   * seq, so it is found by halving; no index leads from times to events.
   */
  async lastBefore({ id, pruned, head }: MirroredBoard, sinceMs: number): Promise<number> {
    let [low, high] = [Math.min(pruned, head), head];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      // oxlint-disable-next-line no-await-in-loop -- each answer decides the next question
      if (await this.#isOlder(id, middle, sinceMs)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  async #isOlder(boardId: number, seq: number, sinceMs: number): Promise<boolean> {
    const [row] = await this.database.query<{ isOlder: boolean }>(
      `SELECT committed_at < to_timestamp($3::double precision / 1000) AS "isOlder" FROM event WHERE board_id = $1 AND seq = $2`,
      [boardId, seq, sinceMs],
    );
    return row?.isOlder ?? false;
  }
}
