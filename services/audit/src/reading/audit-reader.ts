import type { AuditEntry, AuditPage } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { entryRows, lineOf, rowColumns, type EntryRow } from './entry-line.ts';
import { EntrySearch, type FoundPage, type Search } from './entry-search.ts';
import { daysIn, readExtent, type Range } from './log-extent.ts';

export interface DayCount {
  day: string;
  entries: number;
}

const emptyDaysMax = 4_000;

/** Reads entries, always in the order of the log. */
export class AuditReader {
  readonly #search: EntrySearch;

  constructor(private readonly database: Database) {
    this.#search = new EntrySearch(database);
  }

  /** What a filter matches, in the order asked for. */
  async entries(search: Search): Promise<AuditPage> {
    return pageOf(await this.#search.page(search));
  }

  /** The newest entries, oldest first. */
  async latest(limit: number): Promise<AuditPage> {
    const found = await this.#search.page({ filter: {}, order: 'newest', limit });
    return { ...pageOf({ ...found, rows: found.rows.toReversed() }), next: null };
  }

  /** A page of one day; `after` is the seq before its first entry. */
  async day(day: string, { after, limit }: { after: number; limit: number }): Promise<AuditPage> {
    const extent = await readExtent(this.database);
    const ofDay = { size: extent.size, days: extent.days.filter((span) => span.day === day) };
    return pageOf(await this.#search.pageWithin(ofDay, { filter: {}, order: 'oldest', behind: after, limit }));
  }

  async entry(seq: number): Promise<AuditEntry | undefined> {
    const [entry] = await this.#range({ low: seq, high: seq + 1 });
    return entry;
  }

  /** The entries around one, oldest first; undefined when it isn't there. */
  async neighbours(seq: number, limit: number): Promise<AuditPage | undefined> {
    const low = Math.max(0, seq - Math.floor(limit / 2));
    const size = await this.size();
    const entries = await this.#range({ low, high: low + limit });
    if (!entries.some((entry) => entry.seq === seq)) return undefined;
    const last = entries.at(-1)!.seq;
    return { entries, next: last + 1 < size ? String(last) : null, size };
  }

  /** Entries by day, newest day first; days without any in between are there with 0. */
  async days(board?: string): Promise<DayCount[]> {
    const counts = board === undefined ? 'day_count' : '(SELECT * FROM board_day WHERE board = $2) AS day_count';
    return this.database.query<DayCount>(
      `SELECT to_char(d, 'YYYY-MM-DD') AS day, coalesce(entries, 0)::bigint AS entries
       FROM (SELECT generate_series(greatest(min(day), max(day) - $1::integer), max(day), interval '1 day')::date AS d
             FROM ${counts}) AS calendar
       LEFT JOIN ${counts} ON day = d ORDER BY d DESC`,
      board === undefined ? [emptyDaysMax] : [emptyDaysMax, board],
    );
  }

  async size(): Promise<number> {
    const [row] = await this.database.query<{ size: number }>('SELECT size FROM tree');
    return row?.size ?? 0;
  }

  async #range(range: Range): Promise<AuditEntry[]> {
    const days = daysIn(await readExtent(this.database), range);
    const rows = await this.database.query<EntryRow>(
      `${entryRows(`(
         SELECT ${rowColumns} FROM entry e LEFT JOIN detail d ON d.seq = e.seq
         WHERE e.day = ANY ($1::date[]) AND e.seq >= $2 AND e.seq < $3)`)} ORDER BY r.seq`,
      [days, range.low, range.high],
    );
    return rows.map(entryOf);
  }
}

function pageOf({ rows, next, size }: FoundPage): AuditPage {
  return { entries: rows.map(entryOf), next: next === null ? null : String(next), size };
}

const entryOf = (row: EntryRow) => JSON.parse(lineOf(row)) as AuditEntry;
