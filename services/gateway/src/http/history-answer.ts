import { eventMediaTypes, formatCursor, withCursor } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { HistoryRead } from './read-history.ts';

/** The JSON answer; items are stored bytes with their cursor in front. */
export function historyAnswer(page: HistoryRead, more: { complete?: boolean } = {}): string {
  const { board, epoch, head, oldest, items, next, prev } = page;
  const cursors = { head: formatCursor(epoch, head), oldest: formatCursor(epoch, oldest - 1) };
  const envelope = JSON.stringify({ board, epoch, ...cursors, events: [], next, prev, ...more });
  const [before, after] = envelope.split('"events":[]', 2);
  return `${before}"events":[${items.map(({ cursor, body }) => withCursor(cursor, body)).join(',')}]${after}`;
}

export interface HistoryRepresentation {
  type: string;
  write: (page: HistoryRead) => string;
}

const itemsOf = ({ items }: HistoryRead) => items.map(({ cursor, body }) => withCursor(cursor, body));
const json: HistoryRepresentation = { type: 'application/json; charset=utf-8', write: historyAnswer };
const representations: Readonly<Record<string, HistoryRepresentation>> = {
  /** One item on each line. */
  [eventMediaTypes.lines]: {
    type: eventMediaTypes.lines,
    write: (page) =>
      itemsOf(page)
        .map((item) => `${item}\n`)
        .join(''),
  },
  /** The items alone: each is a CloudEvent, its cursor an extension attribute. `Link` tells where to go on. */
  [eventMediaTypes.batch]: { type: eventMediaTypes.batch, write: (page) => `[${itemsOf(page).join(',')}]` },
};
const takenForJson = new Set(['*/*', 'application/*', 'application/json', 'application/problem+json']);

/** What `Accept` asks for; a type that is named goes before a wildcard. @throws AppError `not_acceptable` */
export function historyRepresentation(accept: string | undefined): HistoryRepresentation {
  if (accept === undefined || accept.trim() === '') return json;
  const types = accept.split(',').map((part) => part.split(';', 1)[0]!.trim().toLowerCase());
  const named = types.find((type) => Object.hasOwn(representations, type) || type === 'application/json');
  if (named !== undefined) return representations[named] ?? json;
  if (types.some((type) => takenForJson.has(type))) return json;
  const known = ['application/json', ...Object.keys(representations)].join(', ');
  throw new AppError('not_acceptable', { detail: `history comes as ${known}` });
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
