import type { AuditFilter } from '@boardwire/contracts';
import { insideJson, textCondition } from './text-condition.ts';
import type { Parameters } from './parameters.ts';
import { subjectCondition } from './subject-condition.ts';

/** What a filter asks of a row `e` of `entry` and, where it says so, of its row `d` in `detail`. */
export interface EntryCondition {
  entry: string[];
  /** Conditions that only an entry whose detail is held can meet. */
  detail: string[];
  /** Of record and detail together: an entry without a detail may meet it. */
  text: string[];
}

export function entryCondition(filter: AuditFilter, parameters: Parameters): EntryCondition {
  const detail = detailConditions(filter, parameters);
  const { q } = filter;
  const entry = [...kindConditions(filter, parameters, detail.length > 0), ...entryConditions(filter, parameters)];
  return { entry, detail, text: q === undefined ? [] : [anywhere(q, parameters)] };
}

function entryConditions(filter: AuditFilter, parameters: Parameters): string[] {
  const { day, board, actor, site, outcome, event_id: eventId, hash, subject, from, to } = filter;
  return [
    anyOf('e.day', day, parameters),
    anyOf('e.board', board, parameters),
    anyOf('e.actor', actor, parameters),
    anyOf('e.origin', site, parameters),
    outcome === undefined ? undefined : outcomeCondition(outcome, parameters),
    anyOf('e.event_id', eventId, parameters),
    hash === undefined ? undefined : hashCondition(hash, parameters),
    subject === undefined ? undefined : subjectCondition('e.subject', subject, parameters),
    from === undefined ? undefined : `e.at >= ${parameters.add(from)}::timestamptz`,
    to === undefined ? undefined : `e.at < ${parameters.add(to)}::timestamptz`,
  ].filter((condition) => condition !== undefined);
}

/** An event's action is `publish`, its type its own; a decision has no type, its action stands in that column. */
function kindConditions({ kind, action, type }: AuditFilter, parameters: Parameters, needsDecision: boolean): string[] {
  const conditions: string[] = [];
  const isOnly = (name: string) => kind !== undefined && kind.every((one) => one === name);
  if (isOnly('event') || type !== undefined) conditions.push(`e.kind = 'event'`);
  // Written out, so that the index of decisions is seen to fit.
  if (isOnly('decision') || needsDecision || (action !== undefined && !action.includes('publish')))
    conditions.push(`e.kind = 'decision'`);
  if (type !== undefined) conditions.push(anyOf('e.type', type, parameters)!);
  if (action !== undefined) {
    const decided = `(e.kind = 'decision' AND ${anyOf('e.type', action, parameters)})`;
    conditions.push(action.includes('publish') ? `(e.kind = 'event' OR ${decided})` : decided);
  }
  return conditions;
}

function detailConditions(filter: AuditFilter, parameters: Parameters): string[] {
  const { readiness, symbol, forced_hold: forcedHold, trace, peer } = filter;
  return [
    anyOf('d.readiness', readiness, parameters),
    symbol === undefined ? undefined : textCondition('d.symbol', symbol, parameters),
    forcedHold === undefined ? undefined : `d.forced_hold = ${parameters.add(forcedHold)}`,
    anyOf('d.trace', trace, parameters),
    anyOf('d.peer', peer, parameters),
  ].filter((condition) => condition !== undefined);
}

/** An event is there because it was done. Only decisions have any other outcome, and an index of their own. */
function outcomeCondition(outcomes: readonly string[], parameters: Parameters): string {
  const decided = `e.kind = 'decision' AND ${anyOf('e.outcome', outcomes, parameters)}`;
  return outcomes.includes('done') ? `(e.kind = 'event' OR ${decided})` : `(${decided})`;
}

/** The two expressions are those of the index. */
function hashCondition(hashes: readonly string[], parameters: Parameters): string {
  const fits = hashes.flatMap((hash) => [
    `datahash_of(e.record) = ${parameters.add(Buffer.from(hash, 'ascii'))}::bytea`,
    `sha256('\\x00'::bytea || e.record) = ${parameters.add(Buffer.from(hash, 'hex'))}::bytea`,
  ]);
  return `(${fits.join(' OR ')})`;
}

function anywhere(wanted: string, parameters: Parameters): string {
  const text = insideJson(wanted);
  return `(${textCondition(`convert_from(e.record, 'UTF8')`, text, parameters)}
    OR ${textCondition('d.body', text, parameters)})`;
}

/** One comparison each: block range indexes know no `ANY`. */
function anyOf(expression: string, values: readonly string[] | undefined, parameters: Parameters): string | undefined {
  if (values === undefined) return undefined;
  return `(${values.map((value) => `${expression} = ${parameters.add(value)}`).join(' OR ')})`;
}
