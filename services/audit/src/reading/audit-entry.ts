import type { AuditEntry, DetailState } from '@boardwire/contracts';
import { leafHash } from '@boardwire/signing';
import { z } from 'zod';
import { decisionFacts, noFacts } from '../log/decision-facts.ts';

export interface EntryRow {
  seq: number;
  record: string;
  body: string | null;
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

/** An entry as the routes answer it: everything but the detail comes from the hashed record. */
export function auditEntryOf({ seq, record, body }: EntryRow): AuditEntry {
  const fields = JSON.parse(record) as RecordFields;
  const isEvent = fields.kind === 'event';
  return {
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
    ...(isEvent || body === null ? noFacts : decisionFacts((JSON.parse(body) as { data: object }).data as never)),
    detail_state: body === null ? lostAs(fields) : 'held',
    detail: body === null ? null : (JSON.parse(body) as z.core.util.JSONType),
  };
}

/** An event that could not be read has neither id nor detail; nobody took that away. */
function lostAs({ kind, id, removed }: RecordFields): DetailState {
  if (removed === true) return 'redacted';
  return kind === 'event' && (id ?? '') === '' ? 'none' : 'expired';
}
