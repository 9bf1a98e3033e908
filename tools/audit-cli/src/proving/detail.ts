import { createHash } from 'node:crypto';
import { canonicalBytes } from '@boardwire/signing';
import type { LogRecord } from '../reading/log-record.ts';
import { Refuted } from '../verdict.ts';

/** What opens a record's `datahash`: SHA-256(salt ‖ data). */
export interface Disclosure {
  salt: Buffer;
  data: Buffer;
}

export function hashOf({ salt, data }: Disclosure): string {
  return createHash('sha256').update(salt).update(data).digest('hex');
}

/** A disclosure as the site answers it: `{seq, salt, data}`, salt in hex, data in base64. */
export function disclosureOf({ salt, data }: Record<string, unknown>, what: string): Disclosure {
  if (typeof salt !== 'string' || !/^(?:[0-9a-f]{2}){1,64}$/.test(salt) || typeof data !== 'string') {
    throw new Refuted(`${what} is no disclosure: {"seq", "salt" in hex, "data" in base64}`);
  }
  const bytes = Buffer.from(data, 'base64');
  if (bytes.toString('base64') !== data) throw new Refuted(`${what}: its data is not base64`);
  return { salt: Buffer.from(salt, 'hex'), data: bytes };
}

/**
 * Holds what an answer says beside its record against the record. A decision's detail carries its salt and is proven by
 * it. An event's is the event without salt: the facts that the record repeats are compared, its data is not proven here.
 */
export function checkDetail(detail: unknown, record: LogRecord, what: string): void {
  if (detail === null || detail === undefined) return;
  if (typeof detail !== 'object' || Array.isArray(detail)) throw new Refuted(`${what}: its detail is not an object`);
  const fields = detail as Record<string, unknown>;
  if (record.kind === 'event') checkEvent(fields, record, `the event of ${what}`);
  else checkDecision(fields, record, what);
}

function checkDecision({ data, salt }: Record<string, unknown>, { datahash }: LogRecord, what: string): void {
  if (typeof salt !== 'string' || !/^(?:[0-9a-f]{2}){1,64}$/.test(salt))
    throw new Refuted(`${what}: its detail has no salt`);
  const found = hashOf({ salt: Buffer.from(salt, 'hex'), data: canonicalOf(data, what) });
  if (found !== datahash) {
    throw new Refuted(
      `${what}: its detail was changed; with its salt it has the hash ${found}, and the record says ${datahash}`,
    );
  }
}

/** The members of an event that its record repeats. */
const repeated = [
  ['id', 'id'],
  ['source', 'source'],
  ['author', 'actor'],
  ['origin', 'origin'],
  ['time', 'time'],
  ['subject', 'subject'],
  ['type', 'type'],
  ['board', 'board'],
  ['class', 'class'],
] as const;

/** The members of an event that neither its record nor its datahash covers, such as a display name. */
export function uncoveredMembers(event: Record<string, unknown>): string[] {
  const covered = new Set<string>([...repeated.map(([member]) => member), 'data', 'data_base64', 'cursor']);
  return Object.keys(event).filter((member) => !covered.has(member));
}

/** Throws Refuted where an event says something else than its record. */
export function checkEvent(event: Record<string, unknown>, record: LogRecord, what: string): void {
  for (const [member, name] of repeated) {
    const said = typeof event[member] === 'string' ? clean(event[member]) : '';
    if (said === (record[name] ?? '')) continue;
    throw new Refuted(
      `${what}: its ${member} is ${JSON.stringify(said)}, and the record says ${JSON.stringify(record[name])}`,
    );
  }
}

/** A record can't hold these; what an event has of them stands in it as U+FFFD. */
function clean(value: string): string {
  return value.toWellFormed().replaceAll('\u0000', '\ufffd');
}

function canonicalOf(data: unknown, what: string): Buffer {
  try {
    return canonicalBytes(data);
  } catch {
    throw new Refuted(`${what}: its detail has no canonical form`);
  }
}
