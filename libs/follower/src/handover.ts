import type { BoardTrack } from './board-track.ts';
import type { FollowedEvent } from './followed-event.ts';

/** Receives a board's events in seq order, without a hole, each once. */
export type EventsHandler = (board: string, events: FollowedEvent[]) => void | Promise<void>;

/** Brings what waits in the boards' queues to the handler. */
export interface Handover {
  /** Something was put into this board's queue. */
  poke(track: BoardTrack): void;
  /** Resolves when nothing of this board waits any more. */
  settle(track: BoardTrack): Promise<void>;
  /** Waits for handlers that are running, bounded. */
  stop(): Promise<void>;
}

export interface HandoverOptions {
  onEvents: EventsHandler;
  /** Called after the handler is done with some of a board's events. */
  onHanded: (track: BoardTrack) => void;
  onFailure: (track: BoardTrack, error: unknown) => void;
  /** How long events have waited for the handler; told at most once for each call. */
  onWaited: (seconds: number) => void;
}
