import { EntryLines } from './entry-lines.ts';
import type { LogEntry } from './log-entry.ts';
import { Refuted } from '../verdict.ts';

interface OpenFile {
  path: string;
  lines: EntryLines;
  entries: AsyncGenerator<LogEntry>;
  head: LogEntry;
}

/** Entries of the log from `first` to before `end`. */
export interface SeqSpan {
  first: number;
  end: number;
}

/**
 * The entries of a span in the order of the log, each exactly once, out of many files. Days overlap where zones differ,
 * so several files are read at a time, each from the moment its first entry is due. What the files hold behind the span
 * was written while they were made, one after the other: it is read to the trailers, and its order is nobody's promise.
 */
export class WholeLog {
  #sizeMin = Infinity;

  constructor(
    private readonly paths: readonly string[],
    private readonly span: SeqSpan,
  ) {}

  /** Every entry before this one was in the log when any of the files was made, as their trailers say. Known at the end. */
  get endOfAll(): number {
    return this.#sizeMin;
  }

  async *entries(): AsyncGenerator<LogEntry> {
    const waiting = await inOrder(this.paths);
    const open: OpenFile[] = [];
    for (let due = this.span.first; due < this.span.end; due += 1) {
      while (waiting.length > 0 && (waiting[0]!.first <= due || open.length === 0)) {
        // oxlint-disable-next-line no-await-in-loop -- a few at a time
        const file = await openFile(waiting.shift()!.path);
        if (file !== undefined) open.push(file);
      }
      const next = lowest(open);
      if (next === undefined) break;
      if (next.head.seq !== due) throw outOfPlace(next, due);
      yield next.head;
      // oxlint-disable-next-line no-await-in-loop
      if (!(await advance(next))) this.#close(open.splice(open.indexOf(next), 1)[0]!);
    }
    await this.#readToTrailers(open, waiting);
  }

  async #readToTrailers(open: readonly OpenFile[], waiting: readonly { path: string }[]): Promise<void> {
    for (const file of open) {
      // oxlint-disable-next-line no-await-in-loop -- one file after the other
      while (await advance(file));
      this.#close(file);
    }
    for (const { path } of waiting) {
      // oxlint-disable-next-line no-await-in-loop
      const file = await openFile(path);
      if (file === undefined) continue;
      // oxlint-disable-next-line no-await-in-loop
      while (await advance(file));
      this.#close(file);
    }
  }

  #close({ lines }: OpenFile): void {
    this.#sizeMin = Math.min(this.#sizeMin, lines.trailer.size);
  }
}

/** By their first entry. A file without any is read to its trailer, and is done with. */
async function inOrder(paths: readonly string[]): Promise<{ path: string; first: number }[]> {
  const files: { path: string; first: number }[] = [];
  for (const path of paths) {
    // oxlint-disable-next-line no-await-in-loop -- one file at a time is open
    for await (const { seq } of new EntryLines(path).entries()) {
      files.push({ path, first: seq });
      break;
    }
  }
  return files.toSorted((left, right) => left.first - right.first);
}

async function openFile(path: string): Promise<OpenFile | undefined> {
  const lines = new EntryLines(path);
  const entries = lines.entries();
  const { value, done } = await entries.next();
  return done === true ? undefined : { path, lines, entries, head: value };
}

/** False at the end of the file. */
async function advance(file: OpenFile): Promise<boolean> {
  const { value, done } = await file.entries.next();
  if (done === true) return false;
  if (value.seq < file.head.seq) throw new Refuted(`${file.path} is not oldest first: fetch it with order=oldest`);
  file.head = value;
  return true;
}

function lowest(open: readonly OpenFile[]): OpenFile | undefined {
  return open.reduce<OpenFile | undefined>(
    (least, file) => (least === undefined || file.head.seq < least.head.seq ? file : least),
    undefined,
  );
}

function outOfPlace({ path, head: { seq } }: OpenFile, due: number): Refuted {
  if (seq < due) return new Refuted(`entry ${seq} is in ${path} and in another file`);
  return new Refuted(
    `entry ${due} is in none of the files: one is missing, or the entry was taken out (next is ${seq} in ${path})`,
  );
}
