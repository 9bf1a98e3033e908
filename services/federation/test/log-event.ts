import { randomBytes } from 'node:crypto';
import { eventJson, type RangeItem } from '@boardwire/contracts';
import { sha256 } from './remote-site.ts';

export interface LogEvent {
  board?: string;
  origin: string;
  subject?: string;
  id?: string;
  source?: string;
  data?: unknown;
  bytes?: Buffer;
  extensions?: Record<string, string>;
  isRemoved?: boolean;
}

/** An event as chat's log answers it, salt included. */
export function logItem(seq: number, event: LogEvent): RangeItem {
  const { board = 'events', origin, subject = 'room.a.chat', id = `e${seq}`, source = '/users/1' } = event;
  const data = event.bytes === undefined ? JSON.stringify(event.data ?? { seq }) : '';
  const salt = randomBytes(16);
  const datahash = sha256(salt, event.bytes ?? Buffer.from(data));
  const place = { seq, subject, type: 'chat.post', class: 'log' as const, committedMs: seq, datahash };
  if (event.isRemoved === true) return { ...place, removed: { id } };
  const given = {
    id,
    source,
    type: 'chat.post',
    subject,
    author: '1',
    authorname: 'Ann',
    extensions: event.extensions,
  };
  const body = eventJson(
    { ...given, data_base64: event.bytes?.toString('base64') },
    { time: '2026-01-01T00:00:00Z', data, board, origin, class: 'log' },
  );
  return { ...place, salt: salt.toString('hex'), body };
}
