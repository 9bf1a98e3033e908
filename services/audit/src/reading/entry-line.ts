import { auditEntrySchema, type AuditEntry, type DetailState } from '@boardwire/contracts';
import { recordTexts } from './record-texts.ts';

/** What all forms of an entry are made of: the hashed record, and what of its detail is held. */
export interface RecordRow extends Pick<AuditEntry, 'trace' | 'peer' | 'readiness' | 'symbol' | 'forced_hold'> {
  seq: number;
  record: string;
  /** Hex SHA-256 of 0x00 ‖ record (RFC 6962), made of the bytes as they are stored. */
  leafHash: string;
  isHeld: boolean;
  /** Whether its detail was removed on purpose after it was logged. */
  redacted: boolean;
}

export interface EntryRow extends RecordRow {
  /** The detail's text; null unless it is held. */
  body: string | null;
}

/** An entry with quotes doubled in its long texts, as RFC 4180 has them: that costs the database next to nothing. */
export interface QuotedRow extends RecordRow {
  quotedRecord: string;
  quotedBody: string | null;
}

/** The columns of `entry e` and `detail d` that {@link entryRows} reads. */
export const rowColumns = 'e.seq, e.record, d.body, d.trace, d.peer, d.readiness, d.symbol, d.forced_hold';

const recordColumns = `r.seq, convert_from(r.record, 'UTF8') AS record,
  encode(sha256('\\x00'::bytea || r.record), 'hex') AS "leafHash", r.trace, r.peer, r.readiness, r.symbol, r.forced_hold,
  r.body IS NOT NULL AS "isHeld", r.body IS NULL AND EXISTS (SELECT FROM redaction x WHERE x.seq = r.seq) AS redacted`;

/** SQL that reads rows with the columns of {@link rowColumns} as EntryRow. */
export function entryRows(rows: string): string {
  return `SELECT ${recordColumns}, r.body FROM ${rows} AS r`;
}

/** The same as QuotedRow. */
export function quotedRows(rows: string): string {
  const replaced = (text: string, what: string, by: string) => `replace(${text}, ${what}, ${by})`;
  const unbroken = replaced(replaced('r.body', `E'\\n'`, `' '`), `E'\\r'`, `' '`);
  const quoted = (text: string) => replaced(text, `'"'`, `'""'`);
  return `SELECT ${recordColumns}, ${quoted(`convert_from(r.record, 'UTF8')`)} AS "quotedRecord",
      ${quoted(unbroken)} AS "quotedBody"
    FROM ${rows} AS r`;
}

export type ShortMember = Exclude<keyof AuditEntry, 'record' | 'detail'>;

/**
 * The members of an AuditEntry but the two long ones, each as JSON text. They come from the hashed record, never from the
 * columns beside it: those serve to find an entry, and nobody signs them. What goes from one JSON text into another
 * stays the text that it is: tens of thousands go into a file each second.
 */
export function shortTexts(row: RecordRow): Record<ShortMember, string> {
  const { record, isHeld } = row;
  const texts = recordTexts(record);
  const text = (name: string) => texts[name] ?? 'null';
  const isEvent = texts['kind'] === '"event"';
  return {
    seq: String(row.seq),
    day: text('day'),
    time_zone: text('zone'),
    kind: text('kind'),
    time: text('at'),
    event_time: text('time'),
    action: isEvent ? '"publish"' : text('type'),
    outcome: texts['outcome'] ?? '"done"',
    actor: text('actor'),
    origin: text('origin'),
    board: text('board'),
    board_epoch: text('epoch'),
    board_seq: text('seq'),
    subject: text('subject'),
    type: isEvent ? text('type') : 'null',
    event_id: text('id'),
    datahash: text('datahash'),
    leaf_hash: `"${row.leafHash}"`,
    trace: jsonOf(row.trace),
    peer: jsonOf(row.peer),
    readiness: jsonOf(row.readiness),
    symbol: jsonOf(row.symbol),
    forced_hold: jsonOf(row.forced_hold),
    detail_state: `"${isHeld ? 'held' : lostAs(texts, row.redacted)}"`,
  };
}

export const entryMembers = Object.keys(auditEntrySchema.shape) as (keyof AuditEntry)[];
const beginnings = entryMembers.map((name, at) => `${at === 0 ? '{' : ','}"${name}":`);
const lineBreak = /[\r\n]/;
const lineBreaks = /[\r\n]/g;

/** An AuditEntry as one line of JSON. */
export function lineOf(row: EntryRow): string {
  const texts = shortTexts(row);
  let line = '';
  for (let at = 0; at < entryMembers.length; at += 1) {
    const name = entryMembers[at]!;
    line += beginnings[at]!;
    if (name === 'record') line += JSON.stringify(row.record);
    else if (name === 'detail') line += detailOf(row.body);
    else line += texts[name];
  }
  return `${line}}`;
}

/** Nearly all are null. */
function jsonOf(value: unknown): string {
  return value === null ? 'null' : JSON.stringify(value);
}

/** Blanks between a detail's members may be line breaks; inside its texts they are escaped. */
function detailOf(body: string | null): string {
  if (body === null) return 'null';
  return lineBreak.test(body) ? body.replaceAll(lineBreaks, ' ') : body;
}

/** An event that could not be read has neither id nor detail; nobody took that away. */
function lostAs({ kind, id, removed }: Record<string, string>, redacted: boolean): DetailState {
  if (removed === 'true' || redacted) return 'redacted';
  return kind === '"event"' && (id ?? '""') === '""' ? 'none' : 'expired';
}
