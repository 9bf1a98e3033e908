import { formatCursor, withCursor } from '@boardwire/contracts';
import type { HistoryRead } from './read-history.ts';

/** The JSON answer; items are stored bytes with their cursor in front. */
export function historyAnswer({ board, epoch, head, oldest, items, next, prev }: HistoryRead): string {
  const cursors = { head: formatCursor(epoch, head), oldest: formatCursor(epoch, oldest - 1) };
  const envelope = JSON.stringify({ board, epoch, ...cursors, events: [], next, prev });
  const [before, after] = envelope.split('"events":[]', 2);
  return `${before}"events":[${items.map(({ cursor, body }) => withCursor(cursor, body)).join(',')}]${after}`;
}

/** One item on each line. */
export function linesAnswer({ items }: HistoryRead): string {
  return items.map(({ cursor, body }) => `${withCursor(cursor, body)}\n`).join('');
}

/** `Link` with `next` and `prev` (RFC 8288): the same address with another cursor. */
export function linkHeader(address: string, { next, prev }: HistoryRead): string | undefined {
  const links: string[] = [];
  if (next !== null) links.push(`<${turned(address, 'after', next)}>; rel="next"`);
  if (prev !== null) links.push(`<${turned(address, 'before', prev)}>; rel="prev"`);
  return links.length === 0 ? undefined : links.join(', ');
}

function turned(address: string, direction: 'after' | 'before', cursor: string): string {
  const at = address.indexOf('?');
  const path = at < 0 ? address : address.slice(0, at);
  const query = new URLSearchParams(at < 0 ? '' : address.slice(at + 1));
  query.delete('after');
  query.delete('before');
  query.set(direction, cursor);
  return `${path}?${query.toString()}`;
}
