import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits, type AuditFilter } from '@boardwire/contracts';
import { isConnectionError, type Database } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { lineOf, type EntryRow } from '../reading/entry-line.ts';
import { EntrySearch } from '../reading/entry-search.ts';
import { narrowed, readExtent } from '../reading/log-extent.ts';

export interface TailRequest {
  filter: AuditFilter;
  /** The seq of the last entry that the reader has; without it, the tail begins with what comes next. */
  after: number | undefined;
}

export interface TailOptions {
  database: Database;
  /** Aborts when the service stops. */
  signal: AbortSignal;
  heartbeatMs?: number;
  slowMs?: number;
  tailsMax?: number;
}

const lookEveryMs = 200;
const pageLines = 500;
const comeBackMs = 5_000;
const sizeStatement = { name: 'audit-tail-size', sql: 'SELECT size FROM tree' };

/**
 * Entries as they are appended, as an event stream. Each tail reads the log itself from the place where it stands: there
 * is nothing to hand over between past and present, and a reader that takes its time costs one page of memory. One that
 * takes nothing for `slowMs` is ended; it comes back with the last id that it got.
 */
export class Tails {
  readonly #options: Required<TailOptions>;
  readonly #search: EntrySearch;
  #open = 0;

  constructor({ heartbeatMs = limits.heartbeatMs, slowMs = 20_000, tailsMax = 16, ...options }: TailOptions) {
    this.#options = { heartbeatMs, slowMs, tailsMax, ...options };
    this.#search = new EntrySearch(options.database);
  }

  get open(): number {
    return this.#open;
  }

  /** @throws AppError `overloaded` when too many are open, `invalid_cursor` for a place that the log hasn't come to. */
  async tail({ filter, after }: TailRequest): Promise<Readable> {
    if (this.#open >= this.#options.tailsMax) {
      throw new AppError('overloaded', { detail: 'too many tails are open', retryAfterMs: comeBackMs });
    }
    this.#open += 1;
    try {
      const size = await this.#size();
      if (after !== undefined && after >= size) throw new AppError('invalid_cursor', { detail: `the log has ${size}` });
      return this.#stream(filter, after ?? size - 1);
    } catch (error) {
      this.#open -= 1;
      throw error;
    }
  }

  #stream(filter: AuditFilter, after: number): Readable {
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, this.#options.signal]);
    const blocks = this.#paced(this.#blocks(filter, after, signal), () => body.destroy());
    const body = new Readable({
      highWaterMark: 1,
      read() {
        blocks.next().then(
          ({ done, value }) => this.push(done === true ? null : value),
          (error: Error) => this.destroy(error),
        );
      },
      // Whoever leaves must not wait until the next block would have come.
      destroy(error, done) {
        ending.abort();
        void blocks.return(undefined).catch(() => undefined);
        done(error);
      },
    });
    body.once('close', () => (this.#open -= 1));
    return body;
  }

  /** Ends a stream whose reader doesn't take what it was given. */
  async *#paced(blocks: AsyncIterable<string>, end: () => void): AsyncGenerator<string> {
    for await (const block of blocks) {
      const late = setTimeout(end, this.#options.slowMs);
      try {
        yield block;
      } finally {
        clearTimeout(late);
      }
    }
  }

  async *#blocks(filter: AuditFilter, after: number, signal: AbortSignal): AsyncGenerator<string> {
    let at = after;
    let toldAt = performance.now();
    yield `retry: ${limits.retryMs}\n${idLine(at)}: connected\n\n`;
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      const page = await this.#behind(filter, at);
      at = page.at;
      if (page.rows.length > 0) yield page.rows.map(blockOf).join('');
      else if (performance.now() - toldAt >= this.#options.heartbeatMs) yield `${idLine(at)}: heartbeat\n\n`;
      else {
        // oxlint-disable-next-line no-await-in-loop
        if (!page.isMore) await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
        continue;
      }
      toldAt = performance.now();
    }
  }

  /** The next entries behind a place, and the place up to which all has been looked at. */
  async #behind(filter: AuditFilter, at: number): Promise<{ rows: EntryRow[]; at: number; isMore: boolean }> {
    try {
      if ((await this.#size()) <= at + 1) return { rows: [], at, isMore: false };
      const extent = narrowed(await readExtent(this.#options.database), filter);
      const page = await this.#search.pageWithin(extent, { filter, order: 'oldest', behind: at, limit: pageLines });
      return { rows: page.rows, at: page.next ?? extent.size - 1, isMore: page.next !== null };
    } catch (error) {
      // The reader waits with us until the database is back.
      if (!isConnectionError(error)) throw error;
      return { rows: [], at, isMore: false };
    }
  }

  async #size(): Promise<number> {
    const [row] = await this.#options.database.prepared<{ size: number }>(sizeStatement, []);
    return row?.size ?? 0;
  }
}

const idLine = (at: number) => (at < 0 ? '' : `id: ${at}\n`);

function blockOf(row: EntryRow): string {
  return `event: entry\nid: ${row.seq}\ndata: ${lineOf(row)}\n\n`;
}
