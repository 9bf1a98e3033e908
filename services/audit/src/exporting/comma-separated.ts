import { entryMembers, shortTexts, type QuotedRow, type ShortMember } from '../reading/entry-line.ts';
import { textChunks } from './text-chunks.ts';

/** RFC 4180, with a header; `detail` is JSON text. */
export async function* commaSeparated(pages: AsyncIterable<readonly QuotedRow[]>): AsyncGenerator<Buffer> {
  yield Buffer.from(`${entryMembers.join(',')}\r\n`);
  for await (const rows of pages) yield* textChunks(rows, recordOf);
}

/** Members that need no quotes, whatever is in a record: numbers, instants and words of ours. */
const bare = new Set<string>([
  'seq',
  'day',
  'kind',
  'time',
  'board_seq',
  'leaf_hash',
  'forced_hold',
  'detail_state',
] satisfies ShortMember[]);

function recordOf(row: QuotedRow): string {
  const texts = shortTexts(row);
  let record = '';
  for (let at = 0; at < entryMembers.length; at += 1) {
    const name = entryMembers[at]!;
    if (at > 0) record += ',';
    if (name === 'record') record += `"${row.quotedRecord}"`;
    else if (name === 'detail') record += row.quotedBody === null ? '' : `"${row.quotedBody}"`;
    else record += bare.has(name) ? plain(texts[name]) : fieldOf(texts[name]);
  }
  return `${record}\r\n`;
}

/** What stands in a file for a text, a number, true, false or null of JSON. */
function plain(json: string): string {
  if (!json.startsWith('"')) return json === 'null' ? '' : json;
  return json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1);
}

const formula = /^[=+\-@\t\r]/;
const special = /[",\r\n]/;
/** The text of a JSON string that stands in a file as it is, which nearly all of them do. */
const unremarkable = /^"(?:[^=+\-@",\\\t\r\n][^",\\\r\n]*)?"$/;

function fieldOf(json: string): string {
  if (json === 'null') return '';
  return unremarkable.test(json) ? json.slice(1, -1) : safeField(plain(json));
}

/** A spreadsheet takes what begins so for a formula, and runs it: an apostrophe makes it text. */
function safeField(value: string): string {
  const harmless = formula.test(value) ? `'${value}` : value;
  return special.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
