import type { AuditEntry, AuditPage } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { auditEntryOf, type EntryRow } from './audit-entry.ts';

export interface DayCount {
  day: string;
  entries: number;
}

const emptyDaysMax = 4_000;

/** Reads entries, always in the order of the log. */
export class AuditReader {
  constructor(private readonly database: Database) {}

  /** The newest entries, oldest first. */
  async latest(limit: number): Promise<AuditPage> {
    const size = await this.size();
    const first = size - limit;
    const rows = await this.database.query<EntryRow>(
      `${selectEntries('e.day = ANY ($1::date[]) AND e.seq >= $2')} ORDER BY e.seq LIMIT $3`,
      [await this.#daysWith(first, size), first, limit],
    );
    return { entries: rows.map(auditEntryOf), next: null, size };
  }

  /** A page of one day; `after` is the seq before its first entry. */
  async day(day: string, { after, limit }: { after: number; limit: number }): Promise<AuditPage> {
    const size = await this.size();
    const rows = await this.database.query<EntryRow>(
      `${selectEntries('e.day = $1::date AND e.seq > $2')} ORDER BY e.seq LIMIT $3`,
      [day, after, limit + 1],
    );
    const entries = rows.slice(0, limit).map(auditEntryOf);
    return { entries, next: rows.length > limit ? String(entries.at(-1)!.seq) : null, size };
  }

  async entry(seq: number): Promise<AuditEntry | undefined> {
    const [row] = await this.database.query<EntryRow>(selectEntries('e.day = ANY ($1::date[]) AND e.seq = $2'), [
      await this.#daysWith(seq, seq),
      seq,
    ]);
    return row === undefined ? undefined : auditEntryOf(row);
  }

  /** Entries by day, newest day first; days without any in between are there with 0. */
  async days(): Promise<DayCount[]> {
    return this.database.query<DayCount>(
      `SELECT to_char(d, 'YYYY-MM-DD') AS day, coalesce(entries, 0)::bigint AS entries
       FROM (SELECT generate_series(greatest(min(day), max(day) - $1::integer), max(day), interval '1 day')::date AS d
             FROM day_count) AS calendar
       LEFT JOIN day_count ON day = d ORDER BY d DESC`,
      [emptyDaysMax],
    );
  }

  /** Days that may hold entries of a range. Given by value, they keep the planner out of all other partitions. */
  async #daysWith(first: number, last: number): Promise<string[]> {
    const rows = await this.database.query<{ day: string }>(
      'SELECT day::text FROM day_count WHERE last_seq >= $1 AND first_seq <= $2',
      [first, last],
    );
    return rows.map(({ day }) => day);
  }

  async size(): Promise<number> {
    const [row] = await this.database.query<{ size: number }>('SELECT size FROM tree');
    return row?.size ?? 0;
  }
}

/** The condition names days, so that only their partitions are read. */
function selectEntries(condition: string): string {
  return `SELECT e.seq, convert_from(e.record, 'UTF8') AS record, d.body
          FROM entry e LEFT JOIN detail d ON d.seq = e.seq WHERE ${condition}`;
}
