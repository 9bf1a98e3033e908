import { auditEntrySchema, type AuditEntry } from '@boardwire/contracts';
import type { Line } from '../reading/entry-line.ts';

export const csvColumns = Object.keys(auditEntrySchema.shape) as (keyof AuditEntry)[];

/** RFC 4180, with a header; `detail` is JSON text. */
export async function* commaSeparated(pages: AsyncIterable<readonly Line[]>): AsyncGenerator<Buffer> {
  yield Buffer.from(rowOf(csvColumns));
  for await (const lines of pages) {
    yield Buffer.from(lines.map(({ line }) => entryRow(JSON.parse(line) as AuditEntry)).join(''), 'utf8');
  }
}

function entryRow(entry: AuditEntry): string {
  return rowOf(
    csvColumns.map((column) => {
      const value = entry[column];
      if (value === null) return '';
      return typeof value === 'object' || column === 'detail' ? JSON.stringify(value) : String(value);
    }),
  );
}

function rowOf(fields: readonly string[]): string {
  return `${fields.map(fieldOf).join(',')}\r\n`;
}

/** A spreadsheet takes what begins so for a formula, and runs it: an apostrophe makes it text. */
function fieldOf(value: string): string {
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
