import type { AuditEntry, DetailState } from '@boardwire/contracts';
import { leafHash } from '@boardwire/signing';

/** An entry as it is read: the hashed record, and what of its detail is held. */
export interface EntryRow extends Pick<AuditEntry, 'trace' | 'peer' | 'readiness' | 'symbol' | 'forced_hold'> {
  seq: number;
  record: string;
  body: string | null;
  /** Whether it was removed on purpose after it was logged. */
  redacted: boolean;
}

export interface Line {
  seq: number;
  /** An AuditEntry as JSON. */
  line: string;
}

/** The columns of `entry e` and `detail d` that {@link entryRows} reads. */
export const rowColumns = 'e.seq, e.record, d.body, d.trace, d.peer, d.readiness, d.symbol, d.forced_hold';

/** SQL that reads rows with the columns of {@link rowColumns} as EntryRow. */
export function entryRows(rows: string): string {
  return `SELECT r.seq, convert_from(r.record, 'UTF8') AS record, r.body, r.trace, r.peer, r.readiness, r.symbol,
      r.forced_hold, r.body IS NULL AND EXISTS (SELECT FROM redaction x WHERE x.seq = r.seq) AS redacted
    FROM ${rows} AS r`;
}

/** What our own records hold; see `log/record.ts`. */
interface RecordFields {
  actor: string;
  at: string;
  board?: string;
  datahash: string;
  day: string;
  epoch?: string;
  id?: string;
  kind: 'event' | 'decision';
  origin: string;
  outcome?: string;
  removed?: boolean;
  seq?: number;
  subject?: string;
  time?: string;
  type: string;
  zone: string;
}

/**
 * Everything but the detail comes from the hashed record, never from the columns beside it: those serve to find an
 * entry, and nobody signs them. The detail stays the text that it is: tens of thousands go into a file each second.
 */
export function lineOf({ seq, record, body, ...facts }: EntryRow): Line {
  const fields = JSON.parse(record) as RecordFields;
  const isEvent = fields.kind === 'event';
  const entry: Omit<AuditEntry, 'detail'> = {
    seq,
    day: fields.day,
    time_zone: fields.zone,
    kind: fields.kind,
    time: fields.at,
    event_time: fields.time ?? null,
    action: isEvent ? 'publish' : fields.type,
    outcome: fields.outcome ?? 'done',
    actor: fields.actor,
    origin: fields.origin,
    board: fields.board ?? null,
    board_epoch: fields.epoch ?? null,
    board_seq: fields.seq ?? null,
    subject: fields.subject ?? null,
    type: isEvent ? fields.type : null,
    event_id: fields.id ?? null,
    datahash: fields.datahash,
    leaf_hash: leafHash(Buffer.from(record, 'utf8')).toString('hex'),
    record,
    trace: facts.trace,
    peer: facts.peer,
    readiness: facts.readiness,
    symbol: facts.symbol,
    forced_hold: facts.forced_hold,
    detail_state: body === null ? lostAs(fields, facts.redacted) : 'held',
  };
  // Blanks between a detail's members may be line breaks; inside its texts they are escaped.
  const detail = body === null ? 'null' : body.replaceAll(/[\r\n]/g, ' ');
  return { seq, line: `${JSON.stringify(entry).slice(0, -1)},"detail":${detail}}` };
}

/** An event that could not be read has neither id nor detail; nobody took that away. */
function lostAs({ kind, id, removed }: RecordFields, redacted: boolean): DetailState {
  if (removed === true || redacted) return 'redacted';
  return kind === 'event' && (id ?? '') === '' ? 'none' : 'expired';
}
