import { canonicalJson } from '@boardwire/signing';
import { Refuted } from '../verdict.ts';

/** What the log's records say; the hashed bytes are their canonical JSON. */
export interface LogRecord {
  kind: 'event' | 'decision';
  actor: string;
  at: string;
  datahash: string;
  day: string;
  origin: string;
  type: string;
  zone: string;
  board?: string;
  class?: string;
  epoch?: string;
  id?: string;
  /** Of the first entry of an epoch: the newest checkpoint known of the former one. */
  checkpoint?: string;
  /** And how much of it was left to go on from. */
  kept_size?: number;
  /** Of a decision: its place among those of its service, from 1. */
  number?: number;
  outcome?: string;
  removed?: boolean;
  /** Of an event: its place on its board, from 1. */
  seq?: number;
  source?: string;
  subject?: string;
  time?: string;
}

const texts = ['actor', 'at', 'datahash', 'day', 'origin', 'type', 'zone'] as const;
const optionalTexts = ['board', 'checkpoint', 'class', 'epoch', 'id', 'outcome', 'source', 'subject', 'time'] as const;

/** Reads a record. Throws Refuted for what this log does not write: other bytes of the same meaning have another hash. */
export function parseRecord(text: string, what: string): LogRecord {
  const value = jsonOf(text, what);
  const isWhole =
    (value['kind'] === 'event' || value['kind'] === 'decision') &&
    texts.every((name) => typeof value[name] === 'string') &&
    optionalTexts.every((name) => value[name] === undefined || typeof value[name] === 'string') &&
    ['seq', 'number', 'kept_size'].every((name) => value[name] === undefined || isPlace(value[name]));
  if (!isWhole) throw new Refuted(`${what} is not a record of an event or a decision`);
  const record = value as unknown as LogRecord;
  const hasPlace =
    record.kind === 'event'
      ? record.seq !== undefined && record.board !== undefined && record.epoch !== undefined
      : record.number !== undefined || isEpochRecord(record);
  if (!hasPlace) throw new Refuted(`${what} does not say its place on its board or among the decisions of its service`);
  return record;
}

/** The log's own entry, leaf 0 of every epoch but the first; it is nobody's decision and has no number. */
export function isEpochRecord({ kind, type, origin }: LogRecord): boolean {
  return kind === 'decision' && type === 'audit.epoch' && origin === 'audit';
}

function jsonOf(text: string, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || canonicalJson(value) !== text)
      throw new TypeError('not canonical');
    return value as Record<string, unknown>;
  } catch {
    throw new Refuted(`${what} is not a record in canonical JSON`);
  }
}

const isPlace = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
