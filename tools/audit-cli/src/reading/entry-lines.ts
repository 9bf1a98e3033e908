import { createHash } from 'node:crypto';
import { Refuted } from '../verdict.ts';
import { linesOf } from './lines.ts';
import { entryOf, type LogEntry } from './log-entry.ts';
import { decodeText, parseObject } from './read-file.ts';

/** What the last line says of those before it. */
export interface Trailer {
  entries: number;
  first_seq: number | null;
  last_seq: number | null;
  /** Entries in the log when the file was made. */
  size: number;
  sha256: string;
  /** Of a day file. */
  day?: string;
  /** Of an export. */
  filter?: Record<string, unknown>;
}

/**
 * A file of entries as the site writes it, an entry a line and a trailer at the end: days and exports. `entries` gives
 * each after it was checked against itself, and throws Refuted at the first that lies or stands out of order, and at the
 * end when the trailer is not true of what came before it.
 */
export class EntryLines {
  #trailer: Trailer | undefined;
  #order: 'oldest first' | 'newest first' | undefined;
  readonly #hash = createHash('sha256');
  #count = 0;
  #first: number | undefined;
  #last: number | undefined;

  constructor(readonly path: string) {}

  /** Known when all entries have been read. */
  get trailer(): Trailer {
    if (this.#trailer === undefined) throw new Error(`${this.path} has not been read`);
    return this.#trailer;
  }

  get count(): number {
    return this.#count;
  }

  /** Of fewer than two entries, either. */
  get order(): 'oldest first' | 'newest first' {
    return this.#order ?? 'oldest first';
  }

  async *entries(): AsyncGenerator<LogEntry> {
    let number = 0;
    for await (const line of linesOf(this.path)) {
      number += 1;
      const what = `${this.path}, line ${number}`;
      if (this.#trailer !== undefined) throw new Refuted(`${what}: there is more after the trailer`);
      const fields = parseObject(decodeText(line, what), what);
      if (Object.hasOwn(fields, 'trailer')) {
        this.#trailer = trailerOf(fields, what);
      } else {
        this.#hash.update(line).update('\n');
        yield this.#next(entryOf(fields, what), what);
      }
    }
    this.#checkTrailer();
  }

  #next(entry: LogEntry, what: string): LogEntry {
    const { seq } = entry;
    if (this.#last !== undefined) {
      const order = seq > this.#last ? 'oldest first' : 'newest first';
      if (seq === this.#last) throw new Refuted(`${what}: entry ${seq} is there twice`);
      if ((this.#order ??= order) !== order) {
        throw new Refuted(`${what}: entry ${seq} stands after ${this.#last}, and the file began ${this.#order}`);
      }
    }
    this.#first ??= seq;
    this.#last = seq;
    this.#count += 1;
    return entry;
  }

  #checkTrailer(): void {
    const trailer = this.#trailer;
    if (trailer === undefined)
      throw new Refuted(`${this.path} has no trailer: it was cut, or is not a file of this site`);
    const sha256 = this.#hash.digest('hex');
    if (trailer.entries !== this.#count) this.#lies(`${trailer.entries} entries`, `there are ${this.#count}`);
    // Of the lowest and the highest entry, whichever stands first.
    const ends = [this.#first ?? null, this.#last ?? null];
    const [first, last] = this.#order === 'newest first' ? ends.toReversed() : ends;
    const said = [trailer.first_seq, trailer.last_seq].toSorted(byNumber);
    if (said[0] !== first || said[1] !== last) {
      this.#lies(`${trailer.first_seq} to ${trailer.last_seq}`, `they are ${first} to ${last}`);
    }
    if (last !== null && last !== undefined && last >= trailer.size) {
      this.#lies(`a log of ${trailer.size} entries`, `entry ${last} is there`);
    }
    if (trailer.sha256 !== sha256) this.#lies(`the hash ${trailer.sha256}`, `the lines have ${sha256}`);
  }

  #lies(said: string, found: string): never {
    throw new Refuted(`${this.path}: its trailer says ${said}, and ${found}: lines were taken out, put in or changed`);
  }
}

function trailerOf({ trailer }: Record<string, unknown>, what: string): Trailer {
  const fields = (typeof trailer === 'object' && trailer !== null ? trailer : {}) as Record<string, unknown>;
  const isPlace = (name: string) => Number.isSafeInteger(fields[name]) && (fields[name] as number) >= 0;
  const isWhole =
    isPlace('entries') &&
    isPlace('size') &&
    ['first_seq', 'last_seq'].every((name) => fields[name] === null || isPlace(name)) &&
    typeof fields['sha256'] === 'string' &&
    (fields['day'] === undefined || typeof fields['day'] === 'string');
  if (!isWhole)
    throw new Refuted(`${what} is no trailer: entries, first_seq, last_seq, size and sha256 are its members`);
  return fields as unknown as Trailer;
}

const byNumber = (left: number | null, right: number | null) => (left ?? -1) - (right ?? -1);
