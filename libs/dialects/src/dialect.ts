import type { StoredEvent } from '@boardwire/contracts';

/** An event as a dialect's encoder gets it. */
export interface DialectEvent {
  /** Epoch ordinal · 2^40 + seq: numeric, rising, the same on every gateway and over restarts. */
  id: number;
  cursor: string;
  event: StoredEvent;
}

/** What one connection asked for, already parsed; connections with equal `formatKey` share every encoded byte. */
export interface DialectRequest {
  board: string;
  /** Subject filters; rights are intersected by the gateway as for any other subscription. */
  subjects: readonly string[];
  /** Distinguishes wire formats of one dialect, such as the time zone. From a bounded set. */
  formatKey: string;
}

/** How much of the past goes into the encoder's input on each change. */
export type DeliveryMode =
  /** Only the new events. */
  | { kind: 'delta' }
  /** The whole list again, bounded to the newest `max`. */
  | { kind: 'cumulative'; max: number }
  /** Only the newest event per subject. */
  | { kind: 'latest' };

/** One SSE route in the shape that an older system's clients know. Data, and one pure encoder. */
export interface DialectStream {
  path: string;
  /** Where the token stands; a missing or bad one is refused, never made anonymous. */
  token: { query: string } | 'bearer';
  parse(query: Readonly<Record<string, string | undefined>>): DialectRequest;
  /** The newest `last` matching events open the stream, oldest first. */
  snapshot: { last: number };
  mode: DeliveryMode;
  /** Sent after the opening block, as a comment. */
  openingComment: string;
  keepaliveMs: number;
  keepaliveComment: string;
  /** Pure: events in, the text of complete SSE blocks out. `formatKey` is the request's. */
  encode(events: readonly DialectEvent[], formatKey: string): string;
  /** The body of a refusal in this dialect. */
  errorBody(message: string): unknown;
}

/** An older system's wire on top of a board: streams end at the gateway, the other routes at the applet. */
export interface Dialect {
  name: string;
  streams: readonly DialectStream[];
}
