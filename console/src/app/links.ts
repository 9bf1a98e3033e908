import { formatCursor } from '@boardwire/contracts';

/** Where an event stands: on which board, and as what. */
export interface EventPlace {
  id: string;
  board: string;
  epoch: string;
  seq: number;
  subject: string;
}

/** This many events before the one in question are shown with it. */
const contextEvents = 10;

/** The audit entry of an event, opened. */
export function auditOfEvent({ id, board }: Pick<EventPlace, 'id' | 'board'>): string {
  return `/audit?${new URLSearchParams({ board, event_id: id, entry: 'first' }).toString()}`;
}

/** The event among its neighbours, in the live view. */
export function eventInLiveView({ id, board, epoch, seq }: EventPlace): string {
  const after = formatCursor(epoch, Math.max(0, seq - 1 - contextEvents));
  return `/live?${new URLSearchParams({ board, subject: '>', after, event: id }).toString()}`;
}

/** The message in its conversation; undefined when it isn't one of the lobby. */
export function messageInAxonChat({ id, board, epoch, seq, subject }: EventPlace): string | undefined {
  if (board !== 'events' || (subject !== 'AxonChat' && subject !== 'AxonChat.lobby')) return undefined;
  return `/axonchat?${new URLSearchParams({ event: id, at: formatCursor(epoch, seq) }).toString()}`;
}
