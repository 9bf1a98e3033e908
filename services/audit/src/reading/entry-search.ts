import type { AuditFilter } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { entryCondition } from './entry-condition.ts';
import { entryRows, quotedRows, rowColumns, type EntryRow, type QuotedRow, type RecordRow } from './entry-line.ts';
import { daysIn, narrowed, rangeOf, readExtent, type LogExtent, type Range } from './log-extent.ts';
import { Parameters } from './parameters.ts';

export interface Search {
  filter: AuditFilter;
  order: 'newest' | 'oldest';
  /** The place to go on behind, in the order asked for. */
  behind?: number | undefined;
  limit: number;
}

export interface FoundPage<Row extends RecordRow = EntryRow> {
  rows: Row[];
  /** Where the next page goes on; null when all has been looked at. */
  next: number | null;
  /** Entries from here on were not looked at. */
  size: number;
}

/**
 * Rows looked at by the first statement, and how much more each further one takes. The second is a large one: what the
 * first has not found enough of is best left to the planner, which knows how rare it is. Steps between would be read
 * row by row and then read again.
 */
const firstWindow = 2_048;
const windowGrowth = 512;
/** Free text is read row by row. */
const textWindowMax = 65_536;
const windowMax = 1_048_576;
/** What an index leads to is looked for in all of this at once. */
const indexedWindow = 8 * windowMax;
/** A search that found little so far hands over what it has, so that no request runs for long. */
const searchMs = 2_000;
/** A page ends before the entry that would bring its details over this. */
const pageBytesMax = 8 * 1024 * 1024;

/**
 * Finds entries in the order of the log. It looks at one stretch of the log after the other, each longer than the one
 * before: what is frequent is found in the first and never sorted as a whole, what is rare is found through the
 * indexes of a long one. Entries that are appended meanwhile are behind the size that the page names.
 */
export class EntrySearch<Row extends RecordRow = EntryRow> {
  constructor(
    private readonly database: Database,
    private readonly budgetMs = searchMs,
    /** Makes SQL that reads rows with the columns of `rowColumns`. */
    private readonly read: (rows: string) => string = entryRows,
  ) {}

  /** Finds rows as a file of comma-separated values has them. */
  static quoted(database: Database): EntrySearch<QuotedRow> {
    return new EntrySearch(database, searchMs, quotedRows);
  }

  async page(search: Search): Promise<FoundPage<Row>> {
    const extent = narrowed(await readExtent(this.database), search.filter);
    return this.pageWithin(extent, search);
  }

  /** As `page`, in a log that is taken to be no larger than it was when its extent was read. */
  async pageWithin(extent: LogExtent, search: Search): Promise<FoundPage<Row>> {
    const { order, limit, filter } = search;
    const startedAt = performance.now();
    const rows: Row[] = [];
    let rest = restOf(rangeOf(extent), search);
    let width = firstWidth(search);
    while (rest.low < rest.high) {
      const window = windowOf(rest, order, width);
      // oxlint-disable-next-line no-await-in-loop -- most searches end with the first
      const found = await this.#look(extent, { filter, order, window, limit: limit + 1 - rows.length });
      rows.push(...found.rows);
      const last = rows.at(-1)?.seq;
      if (rows.length > limit) return { rows: rows.slice(0, limit), next: rows[limit - 1]!.seq, size: extent.size };
      if (found.isCut) return { rows, next: last!, size: extent.size };
      rest = restOf(rest, { order, behind: order === 'newest' ? window.low : window.high - 1 });
      if (performance.now() - startedAt > this.budgetMs && rest.low < rest.high) {
        return { rows, next: order === 'newest' ? rest.high : rest.low - 1, size: extent.size };
      }
      width = Math.min(width * windowGrowth, widthMax(filter));
    }
    return { rows, next: null, size: extent.size };
  }

  async #look(
    extent: LogExtent,
    { filter, order, window, limit }: { filter: AuditFilter; order: Search['order']; window: Range; limit: number },
  ): Promise<{ rows: Row[]; isCut: boolean }> {
    const days = daysIn(extent, window);
    if (days.length === 0) return { rows: [], isCut: false };
    const parameters = new Parameters();
    const matching = matchingEntries({ filter, window, days }, parameters);
    const direction = order === 'newest' ? 'DESC' : 'ASC';
    const inOrder = `OVER (ORDER BY e.seq ${direction} ROWS UNBOUNDED PRECEDING)`;
    const [low, high] = [parameters.add(window.low), parameters.add(window.high)];
    const rows = await this.database.query<Row & { matched: number }>(
      `WITH found AS MATERIALIZED (
         SELECT e.seq, e.record ${matching} ORDER BY e.seq ${direction} LIMIT ${parameters.add(limit)}
       ), rows AS (
         SELECT ${rowColumns},
           sum(length(e.record) + coalesce(octet_length(d.body), 0)) ${inOrder} AS bytes,
           row_number() ${inOrder} AS place
         FROM found AS e LEFT JOIN detail d ON d.seq = e.seq AND d.seq >= ${low}::bigint AND d.seq < ${high}::bigint
       )
       SELECT *, (SELECT count(*) FROM found) AS matched
       FROM (${this.read(`(SELECT * FROM rows WHERE bytes <= ${pageBytesMax} OR place = 1)`)}) AS lines
       ORDER BY seq ${direction}`,
      parameters.values,
    );
    return { rows, isCut: rows.length > 0 && rows.length < rows[0]!.matched };
  }
}

/** `FROM … WHERE …` over `entry e`, for what a filter matches within a window. */
export function matchingEntries(
  { filter, window, days }: { filter: AuditFilter; window: Range; days: readonly string[] },
  parameters: Parameters,
): string {
  const { entry, detail, text } = entryCondition(filter, parameters);
  const low = `${parameters.add(window.low)}::bigint`;
  const high = `${parameters.add(window.high)}::bigint`;
  const place = `e.day = ANY (${parameters.add(days)}::date[]) AND e.seq >= ${low} AND e.seq < ${high}`;
  const inDetail = `d.seq >= ${low} AND d.seq < ${high}`;
  const join = detail.length > 0 ? 'JOIN' : 'LEFT JOIN';
  const joined = detail.length + text.length > 0 ? `${join} detail d ON d.seq = e.seq AND ${inDetail}` : '';
  return `FROM entry e ${joined} WHERE ${[place, ...entry, ...detail, ...text].join(' AND ')}`;
}

function restOf({ low, high }: Range, { order, behind }: Pick<Search, 'order' | 'behind'>): Range {
  if (behind === undefined) return { low, high };
  return order === 'newest' ? { low, high: Math.min(high, behind) } : { low: Math.max(low, behind + 1), high };
}

function windowOf({ low, high }: Range, order: Search['order'], width: number): Range {
  return order === 'newest' ? { low: Math.max(low, high - width), high } : { low, high: Math.min(high, low + width) };
}

function firstWidth({ filter, limit }: Search): number {
  if (isFoundAtOnce(filter)) return indexedWindow;
  return Object.keys(filter).length === 0 ? limit + 1 : firstWindow;
}

function widthMax({ q }: AuditFilter): number {
  return q === undefined ? windowMax : textWindowMax;
}

/** An index leads to the few that there are. */
function isFoundAtOnce({ trace, event_id: eventId, hash }: AuditFilter): boolean {
  return trace !== undefined || eventId !== undefined || hash !== undefined;
}
