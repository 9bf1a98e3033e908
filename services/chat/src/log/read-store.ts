import type { RangeItem, StoredClass } from '@boardwire/contracts';
import type { Database, PreparedStatement } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { bounds } from '../bounds.ts';

export interface Page {
  items: RangeItem[];
  /** Whether the page was cut for its size. */
  isCut: boolean;
}

export interface HistoryWindow {
  boardId: number;
  /** Numbers of (subject, type, class); undefined: every one. */
  subjectIds: readonly number[] | undefined;
  /** Exclusive. */
  after: number;
  /** Exclusive. */
  before: number;
  limit: number;
  /** Bytes of bodies; less than the store's own bound. */
  bytesMax?: number | undefined;
  newestFirst: boolean;
}

export interface RangeWindow {
  from: number;
  to: number;
  limit: number;
  salts: boolean;
}

interface EventRow {
  seq: number;
  subject: string;
  type: string;
  class: StoredClass;
  committedMs: number;
  datahash: string;
  body: string | null;
  eventId: string;
  bytes: number;
  /** Where it was asked for; empty once the event was removed. */
  salt?: string;
}

/** Reads logs page by page; every page is bounded in events and bytes. */
export class ReadStore {
  constructor(private readonly database: Database) {}

  /** Every seq of from…to, in order, as many as fit. */
  async range(boardId: number, { from, to, limit, salts }: RangeWindow): Promise<Page> {
    const rows = await this.database.prepared<EventRow>(salts ? saltedRangeStatement : rangeStatement, [
      boardId,
      from,
      to,
      limit,
      bounds.rangeBytesMax,
    ]);
    return pageOf(rows, rows.length < Math.min(limit, to - from + 1));
  }

  /** The first or the newest matching events of a window, in chronological order. */
  async history(window: HistoryWindow): Promise<Page> {
    const { boardId, subjectIds, after, before, limit, bytesMax, newestFirst } = window;
    if (subjectIds?.length === 0) return { items: [], isCut: false };
    const statement = historyStatement(subjectIds !== undefined, newestFirst);
    const found = await this.database.prepared<{ seq: number }>(statement, [
      subjectIds ?? boardId,
      after,
      before,
      limit,
    ]);
    return this.#events(boardId, { seqs: found.map(({ seq }) => seq), bytesMax, newestFirst });
  }

  /** How many match inside the window, counted up to its limit. */
  async count(window: HistoryWindow): Promise<number> {
    const { boardId, subjectIds, after, before, limit } = window;
    if (subjectIds?.length === 0) return 0;
    const statement = countStatement(subjectIds !== undefined);
    const parameters = [subjectIds ?? boardId, after, before, limit];
    const [row] = await this.database.prepared<{ count: number }>(statement, parameters);
    return row!.count;
  }

  /** Where a log ends now. */
  async head(boardId: number): Promise<{ epoch: string; head: number }> {
    const [row] = await this.database.prepared<{ epoch: string; head: number }>(headStatement, [boardId]);
    if (row === undefined) throw new AppError('board_unknown');
    return row;
  }

  /** The newest event of each subject, in chronological order; of too many, the newest. */
  async newest(boardId: number, { subjectIds, upTo }: { subjectIds: readonly number[]; upTo: number }): Promise<Page> {
    const max = bounds.stateSubjectsMax;
    const found = await this.database.prepared<{ seq: number }>(newestStatement, [subjectIds, upTo, max + 1]);
    const seqs = found.slice(0, max).map(({ seq }) => seq);
    const page = await this.#events(boardId, { seqs, bytesMax: bounds.stateBytesMax, newestFirst: true });
    return { ...page, isCut: page.isCut || found.length > max };
  }

  async #events(boardId: number, { seqs, bytesMax = bounds.historyBytesMax, newestFirst }: Wanted): Promise<Page> {
    if (seqs.length === 0) return { items: [], isCut: false };
    const rows = await this.database.prepared<EventRow>(eventsStatement(newestFirst), [
      boardId,
      seqs,
      Math.min(bytesMax, bounds.historyBytesMax),
    ]);
    return pageOf(
      rows.toSorted((a, b) => a.seq - b.seq),
      rows.length < seqs.length,
    );
  }
}

interface Wanted {
  seqs: number[];
  bytesMax?: number | undefined;
  newestFirst: boolean;
}

function pageOf(rows: readonly EventRow[], isCut: boolean): Page {
  return { items: rows.map(rangeItem), isCut };
}

function rangeItem(row: EventRow): RangeItem {
  const { seq, subject, type, committedMs, datahash, salt } = row;
  const item = { seq, subject, type, class: row.class, committedMs, datahash };
  if (row.body === null) return { ...item, removed: { id: row.eventId } };
  return { ...item, ...(salt === undefined ? {} : { salt }), body: row.body };
}

const eventColumns = `
  e.seq, s.subject, s.type, s.class, floor(extract(epoch FROM e.committed_at) * 1000)::bigint AS "committedMs",
  encode(e.datahash, 'hex') AS datahash, e.body, e.event_id AS "eventId"`;

/** Sizes are known without reading what is stored out of line, so the cut comes before the bodies are read. */
const withinBytes = (rows: string, order: 'ASC' | 'DESC', max: string, columns = eventColumns) => `
  SELECT ${columns} FROM (
    SELECT *, sum(coalesce(octet_length(body), 0)) OVER (ORDER BY seq ${order}) - coalesce(octet_length(body), 0) AS before
    FROM (${rows}) AS wanted
  ) AS e JOIN board_subject s ON s.id = e.subject_id
  WHERE e.before < ${max} ORDER BY e.seq`;

const rangeRows = 'SELECT * FROM event WHERE board_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq LIMIT $4';

const rangeStatement: PreparedStatement = { name: 'range', sql: withinBytes(rangeRows, 'ASC', '$5::bigint') };

const saltedRangeStatement: PreparedStatement = {
  name: 'range_salted',
  sql: withinBytes(rangeRows, 'ASC', '$5::bigint', `${eventColumns}, encode(e.salt, 'hex') AS salt`),
};

const eventsStatement = (newestFirst: boolean): PreparedStatement => ({
  name: newestFirst ? 'events_newest' : 'events_oldest',
  sql: withinBytes(
    'SELECT event.* FROM unnest($2::bigint[]) AS w(seq) JOIN event ON event.board_id = $1 AND event.seq = w.seq',
    newestFirst ? 'DESC' : 'ASC',
    '$3::bigint',
  ),
});

/**
 * The newest N of a set of subjects, as quick for a rare subject in a long log as for a busy one, because no event of
 * another subject is looked at. Of many subjects only the N that have the newest events can have one of the newest N, and
 * none older than the oldest of those N.
 */
function historyStatement(isFiltered: boolean, newestFirst: boolean): PreparedStatement {
  const [order, bound, further] = newestFirst ? ['DESC', 'min', '>='] : ['ASC', 'max', '<='];
  const some = (where: string, limit: string) => `
    SELECT seq FROM event WHERE ${where} AND seq > $2 AND seq < $3 ORDER BY seq ${order} LIMIT ${limit}`;
  const ofSubjects = `
    WITH candidate AS MATERIALIZED (
      SELECT w.id, e.seq FROM unnest($1::int[]) AS w(id)
      CROSS JOIN LATERAL (${some('subject_id = w.id', '1')}) AS e ORDER BY e.seq ${order} LIMIT $4
    ), horizon AS MATERIALIZED (
      SELECT CASE WHEN count(*) = $4 THEN ${bound}(seq) END AS seq FROM candidate
    )
    SELECT e.seq FROM horizon CROSS JOIN candidate AS c
    CROSS JOIN LATERAL (
      ${some(`subject_id = c.id AND (horizon.seq IS NULL OR seq ${further} horizon.seq)`, '$4')}
    ) AS e ORDER BY e.seq ${order} LIMIT $4`;
  return {
    name: `history_${isFiltered ? 'filtered' : 'all'}_${order.toLowerCase()}`,
    sql: isFiltered ? ofSubjects : some('board_id = $1', '$4'),
  };
}

/** Stops at the limit, subject by subject, and needs the index alone. */
function countStatement(isFiltered: boolean): PreparedStatement {
  const rows = isFiltered
    ? `SELECT e.seq FROM unnest($1::int[]) AS w(id) CROSS JOIN LATERAL (
         SELECT seq FROM event WHERE subject_id = w.id AND seq > $2 AND seq < $3 LIMIT $4
       ) AS e LIMIT $4`
    : 'SELECT seq FROM event WHERE board_id = $1 AND seq > $2 AND seq < $3 LIMIT $4';
  return {
    name: `count_${isFiltered ? 'filtered' : 'all'}`,
    sql: `SELECT count(*) AS count FROM (${rows}) AS matching`,
  };
}

const headStatement: PreparedStatement = {
  name: 'board_head',
  sql: 'SELECT epoch, seq AS head FROM board_head WHERE board_id = $1',
};

const newestStatement: PreparedStatement = {
  name: 'newest_per_subject',
  sql: `
    SELECT max(e.seq) AS seq FROM unnest($1::int[]) AS w(id)
    JOIN board_subject s ON s.id = w.id
    CROSS JOIN LATERAL (
      SELECT seq FROM event WHERE subject_id = w.id AND seq <= $2 ORDER BY seq DESC LIMIT 1
    ) AS e
    GROUP BY s.subject ORDER BY 1 DESC LIMIT $3`,
};
