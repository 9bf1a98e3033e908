import { createHash } from 'node:crypto';
import type { Line } from '../reading/entry-line.ts';

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
  pages: AsyncIterable<readonly Line[]>,
  { size, about }: { size: number; about: object },
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let entries = 0;
  let first: number | null = null;
  let last: number | null = null;
  for await (const lines of pages) {
    const bytes = Buffer.from(`${lines.map(({ line }) => line).join('\n')}\n`, 'utf8');
    hash.update(bytes);
    entries += lines.length;
    first = Math.min(first ?? Infinity, lines[0]!.seq, lines.at(-1)!.seq);
    last = Math.max(last ?? -1, lines[0]!.seq, lines.at(-1)!.seq);
    yield bytes;
  }
  const summary: LinesSummary = { entries, first_seq: first, last_seq: last, size, sha256: hash.digest('hex') };
  yield Buffer.from(`${JSON.stringify({ trailer: { ...about, ...summary } })}\n`);
}
