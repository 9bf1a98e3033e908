import { matchesFilter, type AuditEntry, type AuditFilter } from '@boardwire/contracts';

/** The plain filter that every search is tested against. */
export function fits(entry: AuditEntry, filter: AuditFilter): boolean {
  const isOneOf = (wanted: readonly string[] | undefined, ...values: (string | null)[]) =>
    wanted === undefined || values.some((value) => value !== null && wanted.includes(value));
  const contains = (wanted: string | undefined, ...texts: (string | null)[]) =>
    wanted === undefined || texts.some((text) => text?.toLowerCase().includes(wanted.toLowerCase()));
  const { subject, forced_hold: forcedHold, from, to, q } = filter;
  const at = Date.parse(entry.time);
  return [
    isOneOf(filter.day, entry.day),
    isOneOf(filter.board, entry.board),
    subject === undefined || (entry.subject !== null && matchesFilter(subject, entry.subject)),
    isOneOf(filter.actor, entry.actor),
    isOneOf(filter.site, entry.origin),
    isOneOf(filter.peer, entry.peer),
    isOneOf(filter.kind, entry.kind),
    isOneOf(filter.action, entry.action),
    isOneOf(filter.outcome, entry.outcome),
    isOneOf(filter.type, entry.type),
    isOneOf(filter.readiness, entry.readiness),
    contains(filter.symbol, entry.symbol),
    forcedHold === undefined || entry.forced_hold === forcedHold,
    isOneOf(filter.trace, entry.trace),
    isOneOf(filter.event_id, entry.event_id),
    isOneOf(filter.hash, entry.datahash, entry.leaf_hash),
    from === undefined || at >= Date.parse(from),
    to === undefined || at < Date.parse(to),
    contains(
      q === undefined ? undefined : JSON.stringify(q).slice(1, -1),
      entry.record,
      entry.detail === null ? null : JSON.stringify(entry.detail),
    ),
  ].every(Boolean);
}
