import { busHeaders, parseBoardSubject, type RangeItem, type StoredClass } from '@boardwire/contracts';
import type { BusMessage } from '@boardwire/messaging';

/** One event of a board's log, as every follower sees it: by JetStream or by a range read from chat. */
export interface FollowedEvent {
  board: string;
  epoch: string;
  seq: number;
  subject: string;
  type: string;
  class: StoredClass;
  /** The stored event JSON; empty when the event was removed. */
  bytes: Buffer;
  /** What is left of a removed event. */
  removed?: { id: string; datahash: string };
  /** Commit time, milliseconds since the Unix epoch. */
  committedMs: number;
  /** Whether it came by JetStream. */
  streamed: boolean;
  /** Hex SHA-256 of salt ‖ data. */
  datahash: string;
}

/**
 * Reads the headers, never the payload. Undefined for a message that is no mirrored event, and for an event whose
 * content was removed before it was mirrored: what is left of it is in the log.
 */
export function fromBusMessage(message: BusMessage): FollowedEvent | undefined {
  const place = parseBoardSubject(message.subject);
  if (place === undefined) return undefined;
  const { headers, data } = message;
  const seq = Number(headers.get(busHeaders.seq));
  const epoch = headers.get(busHeaders.epoch);
  if (!Number.isSafeInteger(seq) || seq < 1 || epoch === '' || data.length === 0) return undefined;
  return {
    board: place.board,
    epoch,
    seq,
    subject: place.subject,
    type: headers.get(busHeaders.type),
    class: headers.get(busHeaders.class) === 'state' ? 'state' : 'log',
    bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    committedMs: Number(headers.get(busHeaders.time)) || message.receivedAt,
    streamed: true,
    datahash: headers.get(busHeaders.datahash),
  };
}

export function fromRangeItem(board: string, epoch: string, item: RangeItem): FollowedEvent {
  return {
    board,
    epoch,
    seq: item.seq,
    subject: item.subject,
    type: item.type,
    class: item.class === 'state' ? 'state' : 'log',
    bytes: item.body === undefined ? Buffer.alloc(0) : Buffer.from(item.body),
    ...(item.removed === undefined ? {} : { removed: { id: item.removed.id, datahash: item.datahash } }),
    committedMs: item.committedMs,
    streamed: false,
    datahash: item.datahash,
  };
}
