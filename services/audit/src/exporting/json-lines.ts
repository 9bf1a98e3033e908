import { createHash } from 'node:crypto';
import { lineOf, type EntryRow } from '../reading/entry-line.ts';
import { textChunks } from './text-chunks.ts';

/** What a trailer says of the lines before it. */
export interface LinesSummary {
  entries: number;
  first_seq: number | null;
  last_seq: number | null;
  size: number;
  sha256: string;
}

/**
 * Entries as lines of JSON, and a last line with the SHA-256 of all bytes before it: a file that was cut or changed on
 * its way shows it.
 */
export async function* jsonLines(
  pages: AsyncIterable<readonly EntryRow[]>,
  { size, about }: { size: number; about: object },
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let entries = 0;
  let first: number | null = null;
  let last: number | null = null;
  for await (const rows of pages) {
    entries += rows.length;
    first = Math.min(first ?? Infinity, rows[0]!.seq, rows.at(-1)!.seq);
    last = Math.max(last ?? -1, rows[0]!.seq, rows.at(-1)!.seq);
    for (const bytes of textChunks(rows, (row) => `${lineOf(row)}\n`)) {
      hash.update(bytes);
      yield bytes;
    }
  }
  const summary: LinesSummary = { entries, first_seq: first, last_seq: last, size, sha256: hash.digest('hex') };
  yield Buffer.from(`${JSON.stringify({ trailer: { ...about, ...summary } })}\n`);
}
