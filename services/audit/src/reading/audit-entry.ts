import type { AuditEntry } from '@boardwire/contracts';
import { leafHash } from '@boardwire/signing';
import { z } from 'zod';

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
    detail: body === null ? null : (JSON.parse(body) as z.core.util.JSONType),
  };
}
