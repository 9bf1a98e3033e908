import { EntryLines } from './entry-lines.ts';
import type { LogEntry } from './log-entry.ts';
import { Refuted } from '../verdict.ts';

interface OpenFile {
  path: string;
  entries: AsyncGenerator<LogEntry>;
  head: LogEntry;
}

/**
 * The entries of many files in the order of the log, each exactly once from the first of an epoch on. Days overlap where zones differ, so
 * several files are read at a time, each from the moment its first entry is due.
 */
export async function* mergedEntries(paths: readonly string[], firstSeq: number): AsyncGenerator<LogEntry> {
  const waiting = await inOrder(paths);
  const open: OpenFile[] = [];
  for (let due = firstSeq; waiting.length > 0 || open.length > 0; due += 1) {
    while (waiting.length > 0 && (waiting[0]!.first <= due || open.length === 0)) {
      // oxlint-disable-next-line no-await-in-loop -- a few at a time
      const file = await openFile(waiting.shift()!.path);
      if (file !== undefined) open.push(file);
    }
    const next = lowest(open);
    if (next === undefined) return;
    if (next.head.seq !== due) throw outOfPlace(next, due);
    yield next.head;
    // oxlint-disable-next-line no-await-in-loop
    await advance(next, open);
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
  const entries = new EntryLines(path).entries();
  const { value, done } = await entries.next();
  return done === true ? undefined : { path, entries, head: value };
}

async function advance(file: OpenFile, open: OpenFile[]): Promise<void> {
  const { value, done } = await file.entries.next();
  if (done === true) open.splice(open.indexOf(file), 1);
  else if (value.seq < file.head.seq) throw new Refuted(`${file.path} is not oldest first: fetch it with order=oldest`);
  else file.head = value;
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
