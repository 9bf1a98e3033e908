import type { AuditEntry } from '@boardwire/contracts';

/** An event by what it is, a decision by what was decided. */
export function whatOf({ kind, type, action }: AuditEntry): string {
  return kind === 'event' ? (type ?? action) : action;
}

export function whereOf({ board, subject, origin }: AuditEntry): string {
  return board === null ? origin : subject === null ? board : `${board} · ${subject}`;
}

/** Why there is no content to show; undefined when there is. */
export function absenceOf({ detail_state: state }: AuditEntry): string | undefined {
  if (state === 'redacted') return 'redacted';
  if (state === 'expired') return 'expired';
  return state === 'none' ? 'no content' : undefined;
}

/** What an event or decision is about: the event's data, the decision's own detail. */
export function contentOf({ detail }: AuditEntry): unknown {
  return memberOf(detail, 'data');
}

/** A name that the entry itself gives for its actor. */
export function actorNameOf({ detail }: AuditEntry): string | undefined {
  const name = memberOf(detail, 'authorname');
  return typeof name === 'string' && name !== '' ? name : undefined;
}

export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** A line of the content, for scanning. */
export function previewOf(entry: AuditEntry): string {
  const content = contentOf(entry);
  const text = memberOf(content, 'text');
  if (typeof text === 'string') return text.slice(0, 300);
  return content === undefined ? '' : JSON.stringify(content).slice(0, 300);
}
