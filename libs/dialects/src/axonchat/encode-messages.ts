import { sseBlock } from '@boardwire/contracts';
import type { DialectEvent } from '../dialect.ts';
import { displayTimes } from './display-time.ts';

/** One message as AxonChat's clients know it. */
export interface AxonchatMessage {
  id: number;
  /** ISO 8601, UTC. */
  timestamp: string;
  /** `h:MM:SS AM/PM` in the zone that the client asked for. */
  display_time: string;
  /** Nickname. */
  user: string | null;
  user_pubkey: string | null;
  text: string;
}

/** One unnamed event with the whole list. Events without a text (scores, reactions on the subject) are left out. */
export function encodeMessages(events: readonly DialectEvent[], timeZone: string): string {
  const displayTime = displayTimes(timeZone);
  const messages = events.flatMap((event) => messageOf(event, displayTime) ?? []);
  return sseBlock({ data: JSON.stringify({ messages }) });
}

function messageOf({ id, event }: DialectEvent, displayTime: (at: Date) => string): AxonchatMessage | undefined {
  const text = textOf(event.data);
  const at = new Date(event.time);
  // A peer's event with a time that is none must not cost everybody the list.
  if (text === undefined || Number.isNaN(at.getTime())) return undefined;
  return {
    id,
    timestamp: at.toISOString(),
    display_time: displayTime(at),
    user: event.authorname === '' ? null : event.authorname,
    user_pubkey: null,
    text,
  };
}

function textOf(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('text' in data)) return undefined;
  return typeof data.text === 'string' ? data.text : undefined;
}
