import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { auditFilterOf, type AuditExportQuery } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import type { QuotedRow } from '../reading/entry-line.ts';
import { EntrySearch } from '../reading/entry-search.ts';
import { narrowed, readExtent, type LogExtent } from '../reading/log-extent.ts';
import { commaSeparated } from './comma-separated.ts';
import { jsonLines } from './json-lines.ts';
import { rowPages } from './row-pages.ts';

/** A file that is made while it is sent. */
export interface Download {
  body: Readable;
  contentType: string;
  fileName: string;
}

const underWayMax = 4;
const comeBackMs = 5_000;
/** A little compression is most of it, and the fast levels keep up with the database. */
const gzipLevel = 3;

/** Makes files of entries. A file holds what the log held when it was begun, in little memory however long it is. */
export class Exporter {
  readonly #search: EntrySearch;
  readonly #quotedSearch: EntrySearch<QuotedRow>;
  #underWay = 0;

  constructor(private readonly database: Database) {
    this.#search = new EntrySearch(database);
    this.#quotedSearch = EntrySearch.quoted(database);
  }

  /** Files that are being made. */
  get underWay(): number {
    return this.#underWay;
  }

  /** All entries of a day, oldest first. */
  async day(day: string, { isZipped }: { isZipped: boolean }): Promise<Download> {
    const { size, days } = await this.#begin();
    const extent = { size, days: days.filter((span) => span.day === day) };
    const pages = rowPages(this.#search, { extent, filter: {}, order: 'oldest' });
    const lines = this.#counted(jsonLines(pages, { size, about: { day } }));
    const fileName = `audit-${day}.jsonl`;
    if (!isZipped) return { body: lines, contentType: 'application/x-ndjson', fileName };
    const zip = createGzip({ level: gzipLevel });
    lines.on('error', (error) => zip.destroy(error));
    zip.once('close', () => lines.destroy());
    return { body: lines.pipe(zip), contentType: 'application/gzip', fileName: `${fileName}.gz` };
  }

  /** What a filter matches; `given` is the query's own conditions, for the trailer. */
  async export(query: AuditExportQuery, given: object): Promise<Download> {
    const { format, order } = query;
    const filter = auditFilterOf(query);
    const extent = narrowed(await this.#begin(), filter);
    const request = { extent, filter, order };
    const { size } = extent;
    const isCsv = format === 'csv';
    const chunks = isCsv
      ? commaSeparated(rowPages(this.#quotedSearch, request))
      : jsonLines(rowPages(this.#search, request), { size, about: { filter: given } });
    return {
      body: this.#counted(chunks),
      contentType: isCsv ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson',
      fileName: `audit-export-${size}.${format}`,
    };
  }

  #begin(): Promise<LogExtent> {
    if (this.#underWay >= underWayMax) {
      throw new AppError('overloaded', { detail: 'other exports are under way', retryAfterMs: comeBackMs });
    }
    return readExtent(this.database);
  }

  #counted(chunks: AsyncIterable<Buffer>): Readable {
    const body = Readable.from(chunks, { objectMode: false, highWaterMark: 1 });
    this.#underWay += 1;
    body.once('close', () => (this.#underWay -= 1));
    return body;
  }
}
