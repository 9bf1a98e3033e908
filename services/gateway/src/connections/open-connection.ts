import type { Stalled } from '@boardwire/contracts';
import type { Outbox } from '../delivery/outbox.ts';
import type { Transport } from '../metrics.ts';
import type { Access } from '../rights/access.ts';

/** Why this side ends a connection. */
export type EndReason =
  /** The session has ended, or the token has run out. */
  | 'revoked'
  /** The pod stops; come back after so many milliseconds. */
  | 'drain'
  /** It is as old as one may get. */
  | 'rotate'
  /** It has not said in time who it is. */
  | 'nameless'
  /** Its outbox is full. */
  | 'slow'
  /** What it asked for has gone: the board, or the right to see it. */
  | 'gone'
  /** A newer stream of its ticket has taken its place. */
  | 'replaced'
  /** A fault of ours; coming back may help. */
  | 'fault';

/** A client that stays: one event stream, one WebSocket. */
export interface OpenConnection {
  /** Counts the connections of this pod; {@link ConnectionDesk.idOf} makes its name of it. */
  readonly number: number;
  /** As `performance.now()` told, in whole milliseconds. */
  readonly openedAt: number;
  readonly transport: Transport;
  /** Undefined until a WebSocket has authenticated. */
  readonly access: Access | undefined;
  readonly outbox: Outbox;
  /** The client's cursors are refreshed, in line with its events. */
  heartbeat(): void;
  /** A live source is lost, since then; undefined when all are back. */
  tellStalled(stalled: Stalled | undefined): void;
  /** Says why, flushes for a moment, closes. Repeating it does nothing. */
  end(reason: EndReason, afterMs?: number): void;
}
