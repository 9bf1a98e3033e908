import { parseCursor, type StoredEvent } from '@boardwire/contracts';

/** AxonChat writes one subject and reads two: the applet's own, which programs use, and the lobby. */
export const lobby = {
  board: 'events',
  writes: 'AxonChat.lobby',
  reads: ['AxonChat', 'AxonChat.lobby'],
  type: 'chat.message.posted',
  textCharactersMax: 4_000,
} as const;

export interface Message {
  id: string;
  source: string;
  /** The site that accepted it; undefined until its event has come, of one's own message. */
  origin: string | undefined;
  authorId: string;
  authorName: string;
  /** Empty once it was removed. */
  text: string;
  isRemoved: boolean;
  /** Milliseconds since the Unix epoch. */
  at: number;
  cursor: string;
  seq: number;
}

/** An own message that the site has not confirmed. */
export interface Draft {
  id: string;
  text: string;
  at: number;
  /** Why it could not be sent; absent while it is on its way. */
  failure?: string;
}

/** A chat message from an event; undefined for other types, removed ones, and data of another shape. */
export function messageOf(event: StoredEvent, cursor: string | undefined): Message | undefined {
  const text = (event.data as { text?: unknown } | null | undefined)?.text;
  const place = cursor === undefined ? undefined : parseCursor(cursor);
  if (event.type !== lobby.type || typeof text !== 'string' || cursor === undefined || place === undefined) {
    return undefined;
  }
  const { id, source, origin, author: authorId, authorname: authorName, time } = event;
  const said = { id, source, origin, authorId, authorName, text, isRemoved: false };
  return { ...said, at: Date.parse(time), cursor, seq: place.seq };
}

/** What is left of a message whose content was removed: its place, and who wrote it. */
export function removedMessage(message: Message): Message {
  return message.isRemoved ? message : { ...message, text: '', isRemoved: true };
}
