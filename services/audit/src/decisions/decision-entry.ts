import { createHash, randomBytes } from 'node:crypto';
import { canonicalJson, leafHash } from '@boardwire/signing';
import { decisionFacts } from '../log/decision-facts.ts';
import type { Entry } from '../log/entry.ts';
import { decisionRecord } from '../log/record.ts';
import type { InboxItem } from './decision-inbox.ts';

const saltBytes = 16;
/** Postgres and ISO 8601 agree on years of four digits. */
const lastMs = Date.UTC(9999, 11, 30);

/**
 * The entry of a decision. Its detail can be forgotten without breaking the proof: the record holds
 * SHA-256(salt ‖ canonical JSON of the detail), and salt and detail stand together outside it.
 */
export function decisionEntry(
  item: InboxItem,
  calendar: { zoneOf: (board: string | undefined) => string; dayOf: (ms: number, zone: string) => string },
): Entry {
  const { decision, service, number, receivedMs, position } = item;
  const salt = randomBytes(saltBytes);
  const trace = decision.trace === undefined ? {} : { trace: decision.trace };
  const detail = { ...trace, ...decision.detail };
  const data = canonicalJson(wellFormed(detail));
  const datahash = createHash('sha256').update(salt).update(data).digest('hex');
  const takenMs = Date.parse(decision.at);
  const atMs = takenMs >= 0 && takenMs <= lastMs ? takenMs : receivedMs;
  const zone = calendar.zoneOf(decision.board);
  const day = calendar.dayOf(atMs, zone);
  const { action, outcome, actor, board } = decision;
  const record = decisionRecord({ service, number, action, outcome, actor, atMs, board, datahash }, { day, zone });
  return {
    record,
    leaf: leafHash(Buffer.from(record, 'utf8')),
    day,
    detail: `{"data":${data},"salt":"${salt.toString('hex')}"}`,
    facts: decisionFacts(action, detail),
    atMs,
    from: { kind: 'decision', position },
  };
}

/** Lone surrogates have no canonical form; a refused login may hold any text. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toWellFormed(), wellFormed(member)]));
}
