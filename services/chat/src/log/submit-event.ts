import {
  classOf,
  matchesFilter,
  redactedType,
  type AppendItem,
  type AppendOutcome,
  type ErrorCode,
} from '@boardwire/contracts';
import { isBanned } from '../boards/is-banned.ts';
import type { WatchedBoard } from '../boards/board-watch.ts';
import { bounds } from '../bounds.ts';
import type { Submitted } from './append-batch.ts';
import { prepareEvent, type SaltSource } from './event-bytes.ts';

export interface SubmitContext {
  board: WatchedBoard;
  /** The id of this site. */
  origin: string;
  now: string;
  salts: SaltSource;
}

/** An event that was accepted at `origin`, ready for the log, or why it can't be stored. */
export function submitEvent(item: AppendItem, { board, origin, now, salts }: SubmitContext): Submitted {
  const { id } = item;
  // That content is gone is no state of its subject, and has to be stored whatever the subject's rule has become.
  const eventClass = item.type === redactedType ? 'log' : classOf(board.rules, item.subject, matchesFilter);
  if (eventClass === 'ephemeral') {
    return refused(id, 'invalid_event', 'the subject is ephemeral: it is never stored');
  }
  const event = prepareEvent(item, { board: board.slug, boardId: board.id, origin, class: eventClass, now }, salts);
  if (event.bytes > bounds.storedBytesMax) return refused(id, 'too_large');
  return event;
}

/** The same of what somebody publishes: that content was removed is not theirs to say. */
export function submitPublished(item: AppendItem, context: SubmitContext): Submitted {
  if (item.type === redactedType) return refused(item.id, 'forbidden', 'this type is the platform’s to publish');
  if (isBanned(context.board, item.author)) return refused(item.id, 'forbidden', 'banned from this board');
  return submitEvent(item, context);
}

export type Refusal = Extract<AppendOutcome, { outcome: 'refused' }>;

export function refused(id: string, code: ErrorCode, detail?: string): Refusal {
  return { outcome: 'refused', id, code, ...(detail === undefined ? {} : { detail }) };
}
