import type { SyncResponse } from '@boardwire/contracts';
import type { Bus } from '@boardwire/messaging';
import type { ServiceContext } from '@boardwire/service-kit';
import type { ChatLog } from './chat-log.ts';
import type { EventsHandler } from './handover.ts';

/** Where a follower that must see every event has got to, in its own storage. */
export interface MarkStore {
  /** The last seq stored of this epoch, or undefined when there is none: then it starts with seq 1. */
  load(board: string, epoch: string): Promise<number | undefined>;
}

export interface EpochStart {
  epoch: string;
  /** Counts the board's epochs: 0, 1, 2 … */
  ordinal: number;
  head: number;
  /** The epoch before; undefined when the board is seen for the first time. */
  previous: string | undefined;
}

export interface BoardPosition {
  board: string;
  epoch: string;
  /** Last seq that the handler is done with. */
  last: number;
  head: number;
  caughtUp: boolean;
}

export interface BoardFollowerOptions {
  /** Names its loops and its consumer. */
  name: string;
  bus: Bus;
  chat: ChatLog;
  context: Pick<ServiceContext, 'logger' | 'metrics' | 'supervisor'>;
  /**
   * `head`: starts at chat's head, the handler is synchronous, and its exceptions are counted.
   * A mark store: starts behind the marks; a batch whose handler rejects comes again until it resolves. The handler
   * stores its mark together with the events.
   */
  marks: 'head' | MarkStore;
  /** Name of a durable consumer on the mirror. */
  durable?: string;
  /** Each event of each board once, in seq order, without a hole. Calls for one board never overlap. */
  onEvents: EventsHandler;
  /** Before the first event of an epoch, also when a board is first seen. A rejection is retried. */
  onEpoch?: (board: string, start: EpochStart) => void | Promise<void>;
  onRemoved?: (board: string) => void;
  /** Every answer of `/sync`, after its boards were applied. */
  onControl?: (changes: SyncResponse) => void;
  /** Events held for the handler, and as many behind holes. */
  queueMax?: number;
  /** Handler calls at once, for different boards; only with marks. */
  concurrency?: number;
  /** Least time between two calls for one board, unless 512 events wait; only with marks. Default 0. */
  paceMs?: number | ((board: string) => number);
}
