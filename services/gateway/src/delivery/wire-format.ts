import type { Reconnect, Reset, Resumed, Stalled } from '@boardwire/contracts';
import type { LogEvent } from './board-ring.ts';
import type { EphemeralEvent } from './ephemeral-lane.ts';

/**
 * How one kind of client reads: all that differs between SSE, WebSocket and their variants. Every method answers
 * bytes that can be written to a socket as they are, so that one Buffer serves every connection of the same key.
 */
export interface WireFormat {
  /** Subscriptions with equal keys share every encoded byte. */
  readonly key: string;
  /** Events in order, as one Buffer for one write. `epoch` makes their cursors. */
  events(epoch: string, events: readonly LogEvent[]): Buffer;
  /** Without cursors: they don't move the reader. */
  ephemeral(events: readonly EphemeralEvent[]): Buffer;
  resumed(resumed: Resumed): Buffer;
  reset(reset: Reset): Buffer;
  caughtUp(cursor: string): Buffer;
  /** Absent where the wire has no word for it. @param answer the body of `GET …/state` */
  state?(cursor: string, answer: string): Buffer;
  /** So many events were left out for newer ones of their subjects, which follow. */
  skipped(count: number): Buffer;
  /** It takes a while until its replay begins or goes on. */
  waiting(): Buffer;
  stalled(stalled: Stalled): Buffer;
  live(): Buffer;
  reconnect(reconnect: Reconnect): Buffer;
  revoked(): Buffer;
}
