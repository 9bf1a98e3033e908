import type { Overflow } from '@boardwire/contracts';
import type { BoardChannel } from './board-channel.ts';
import type { FilterSet } from './filter-set.ts';
import type { Outbox } from './outbox.ts';
import type { ReplayTurn } from './replay-gate.ts';
import type { ReplaySource } from './replay-source.ts';
import type { SliceCache } from './slice-cache.ts';
import type { StateReader } from './state-reader.ts';
import type { StartPlanner } from './stream-start.ts';
import type { WireFormat } from './wire-format.ts';

export type ResumeOutcome = 'fresh' | 'resumed' | 'epoch' | 'pruned' | 'too_far' | 'unknown';

export interface SubscriptionObserver {
  onOpened(outcome: ResumeOutcome, cursorAge: number): void;
  onCaughtUp(replaySeconds: number): void;
  /** Events were left out for newer ones of their subjects. */
  onConflated(events: number): void;
  /** The subscription ended by a fault of its own. */
  onFailed: (error: unknown) => void;
}

/** What all subscriptions of a pod share. */
export interface SubscriptionShared {
  planner: StartPlanner;
  replay: ReplaySource;
  slices: SliceCache;
  states: StateReader;
}

export interface SubscriptionOptions extends SubscriptionShared {
  channel: BoardChannel;
  wanted: FilterSet;
  format: WireFormat;
  /** What happens when its socket can't keep up. */
  overflow: Overflow;
  /** Whether the state of the board comes first, and again behind each reset. */
  hasSnapshot: boolean;
  outbox: Outbox;
  turn: ReplayTurn;
  observer: SubscriptionObserver;
}
