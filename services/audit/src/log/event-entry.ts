import { leafHash } from '@boardwire/signing';
import type { FollowedEvent } from '@boardwire/follower';
import type { Entry } from './entry.ts';
import { eventRecord, type Calendar, type EventFacts } from './record.ts';

/** The entry of a followed event. Its detail is the event as stored, character for character. */
export function eventEntry(event: FollowedEvent, calendar: Calendar): Entry {
  const { facts, detail } = read(event);
  const record = eventRecord(event, facts, calendar);
  return {
    record,
    leaf: leafHash(record),
    day: calendar.day,
    detail,
    atMs: event.committedMs,
    from: { kind: 'event', board: event.board, epoch: event.epoch, seq: event.seq },
  };
}

function read(event: FollowedEvent): { facts: EventFacts; detail: string } {
  if (event.bytes.length > 0) {
    const detail = event.bytes.toString('utf8');
    const parsed = parseObject(detail);
    if (parsed !== undefined) return { facts: factsOf(parsed), detail };
  }
  // Removed, or not what chat stores: that it was there, and what its hash was, is still part of the history.
  const facts = { id: event.removed?.id ?? '', source: '', author: '', origin: '', time: '' };
  return { facts, detail: 'null' };
}

function factsOf(event: Record<string, unknown>): EventFacts {
  const { id, source, author, origin, time } = event;
  return {
    id: stringOr(id),
    source: stringOr(source),
    author: stringOr(author),
    origin: stringOr(origin),
    time: stringOr(time),
  };
}

const stringOr = (value: unknown) => (typeof value === 'string' ? value : '');

function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
