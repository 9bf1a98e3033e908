import { leafHash } from '@boardwire/signing';
import { detailFields, factsOfDetail } from '../proving/detail-facts.ts';
import { checkDetail } from '../proving/detail.ts';
import { Refuted } from '../verdict.ts';
import { parseRecord, type LogRecord } from './log-record.ts';

/** An entry as the site answers it, checked against itself: all that is proven of it follows from `record`. */
export interface LogEntry {
  seq: number;
  record: LogRecord;
  /** The record's text: what was hashed. */
  text: string;
  leaf: Buffer;
  /** What the site still holds of its content. */
  detail: unknown;
}

/** Checks that every field says what the record says. Throws Refuted where one doesn't. */
export function entryOf(fields: Record<string, unknown>, what: string): LogEntry {
  const { seq, record: text, detail } = fields;
  if (!Number.isSafeInteger(seq) || (seq as number) < 0) throw new Refuted(`${what} has no seq`);
  if (typeof text !== 'string') throw new Refuted(`${what} has no record, which is what the log’s hashes are made of`);
  const record = parseRecord(text, `the record of ${what}`);
  const leaf = leafHash(Buffer.from(text, 'utf8'));
  checkFields(fields, { wanted: fieldsOf(record, leaf), by: 'record', what });
  checkDetail(detail, record, what);
  checkDetailFields(fields, record.kind, what);
  return { seq: seq as number, record, text, leaf, detail: detail ?? undefined };
}

type Field = string | number | boolean | null;

function checkFields(
  fields: Record<string, unknown>,
  { wanted, by, what }: { wanted: Record<string, Field>; by: string; what: string },
): void {
  for (const [name, value] of Object.entries(wanted)) {
    if (fields[name] === value) continue;
    const said = JSON.stringify(fields[name] ?? null);
    throw new Refuted(`${what}: ${name} says ${said}, and its ${by} says ${JSON.stringify(value)}`);
  }
}

/** Without its detail an answer may not claim what only the detail could prove. */
function checkDetailFields(fields: Record<string, unknown>, kind: LogRecord['kind'], what: string): void {
  const { detail } = fields;
  const facts = factsOfDetail(
    kind === 'decision' && typeof detail === 'object' && detail !== null && 'data' in detail ? detail.data : undefined,
  );
  const given = Object.fromEntries(detailFields.map((name) => [name, fields[name] ?? null]));
  checkFields(given, { wanted: facts, by: 'detail', what });
}

/** The fields of an answer that repeat the record. */
function fieldsOf(record: LogRecord, leaf: Buffer): Record<string, Field> {
  const isEvent = record.kind === 'event';
  return {
    day: record.day,
    time_zone: record.zone,
    kind: record.kind,
    time: record.at,
    event_time: record.time ?? null,
    action: isEvent ? 'publish' : record.type,
    outcome: record.outcome ?? 'done',
    actor: record.actor,
    origin: record.origin,
    board: record.board ?? null,
    board_epoch: record.epoch ?? null,
    board_seq: record.seq ?? null,
    subject: record.subject ?? null,
    type: isEvent ? record.type : null,
    event_id: record.id ?? null,
    datahash: record.datahash,
    leaf_hash: leaf.toString('hex'),
  };
}
