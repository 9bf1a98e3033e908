import { createHash } from 'node:crypto';
import { leafHash } from '@boardwire/signing';

/** An entry as it is stored: the record that is hashed, and the columns that it is found by. */
export interface ScrubbedRow {
  seq: number;
  day: string;
  kind: string;
  board: string | null;
  board_epoch: string | null;
  board_seq: number | null;
  subject: string | null;
  type: string;
  actor: string;
  origin: string;
  event_id: string | null;
  outcome: string | null;
  record: Buffer;
  body: string | null;
}

const columnsOf = {
  day: 'day',
  kind: 'kind',
  board: 'board',
  epoch: 'board_epoch',
  seq: 'board_seq',
  subject: 'subject',
  type: 'type',
  actor: 'actor',
  origin: 'origin',
  id: 'event_id',
  outcome: 'outcome',
} as const;

/** Why a stored entry is not the one that was logged; undefined when it is. */
export function problemOf(row: ScrubbedRow, leaf: Buffer): string | undefined {
  if (!leafHash(row.record).equals(leaf)) return 'its record has another hash than its leaf';
  const fields = JSON.parse(row.record.toString('utf8')) as Record<string, unknown>;
  const wrong = Object.entries(columnsOf).find(([field, column]) => (fields[field] ?? null) !== row[column]);
  if (wrong !== undefined) return `its column ${wrong[1]} says something else than its record`;
  return isDetailOf(row.body, fields) ? undefined : 'its detail is not the one that was logged';
}

/** A decision's detail holds the salt of its hash; an event's salt is chat's. */
function isDetailOf(body: string | null, { kind, datahash }: Record<string, unknown>): boolean {
  if (body === null || kind !== 'decision') return true;
  const { salt, data } = saltAndData(body);
  return createHash('sha256').update(salt).update(data).digest('hex') === datahash;
}

/** Takes a decision's detail apart, `{"data":…,"salt":"…"}`, without touching the bytes that were hashed. */
export function saltAndData(body: string): { salt: Buffer; data: Buffer } {
  const at = body.lastIndexOf(',"salt":"');
  return {
    salt: Buffer.from(body.slice(at + ',"salt":"'.length, -2), 'hex'),
    data: Buffer.from(body.slice('{"data":'.length, at), 'utf8'),
  };
}
