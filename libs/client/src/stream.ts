import type {
  CloseAdvice,
  Overflow,
  PresentUser,
  Reset,
  Stalled,
  StateAnswer,
  StoredEvent,
} from '@boardwire/contracts';
import type { BoardwireError } from './errors.ts';

/** What a transport is asked to open: one board, some subjects, from a place. */
export interface StreamRequest {
  baseUrl: string;
  token: string;
  board: string;
  subjects: readonly string[];
  types: readonly string[];
  /** Cursor or `start`; wins over `last`. */
  after: string | undefined;
  /** The newest N matching events first. */
  last: number | undefined;
  /** The state of the board first. */
  snapshot?: 'state' | undefined;
  overflow?: Overflow | undefined;
  wantsPresence: boolean;
}

/** What a stream says, whichever way it travelled. */
export type StreamSignal =
  | { kind: 'resumed'; from: string }
  | { kind: 'reset'; reset: Reset }
  | { kind: 'caught_up'; cursor: string }
  | { kind: 'snapshot'; state: StateAnswer }
  | { kind: 'skipped'; count: number }
  | { kind: 'event'; cursor: string | undefined; event: StoredEvent }
  /** A heartbeat: everything up to here that matches has been written to this stream. */
  | { kind: 'cursor'; cursor: string }
  | { kind: 'retry'; afterMs: number }
  | { kind: 'stalled'; since: string; reason: Stalled['reason'] }
  | { kind: 'unstalled' }
  | { kind: 'presence_list'; users: PresentUser[]; count: number }
  | { kind: 'presence_change'; event: 'join' | 'leave'; user: PresentUser; count: number }
  | { kind: 'typing'; subject: string; user: PresentUser; on: boolean };

/** Why a stream ended and what to do next. */
export interface StreamEnd {
  advice: CloseAdvice;
  reason: string;
  /** The server's own wish for the wait, already jittered. */
  afterMs?: number | undefined;
  error?: BoardwireError | undefined;
}

export interface StreamListener {
  /** Bytes arrived, whatever they mean: the watchdog's food. */
  onActivity(): void;
  onSignal(signal: StreamSignal): void;
  /** Exactly once, and nothing after it; never after `close()`. */
  onEnd(end: StreamEnd): void;
}

export interface OpenStream {
  /** Ends it without a word to the listener. */
  close(): void;
  /** Presents a newer token in place. False when this transport has to be opened anew for that. */
  authenticate(token: string): boolean;
  /** Tells that one types, or has stopped; absent where the transport can't. */
  typing?(subject: string, on: boolean): void;
}

export type StreamTransport = (request: StreamRequest, listener: StreamListener) => OpenStream;
