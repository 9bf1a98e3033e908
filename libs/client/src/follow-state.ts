import type { Reset, StateAnswer, StoredEvent } from '@boardwire/contracts';
import type { BoardwireError } from './errors.ts';
import type { Presence } from './presence-list.ts';
import type { Typist } from './typing-list.ts';

export type FollowPhase = 'connecting' | 'catching_up' | 'live' | 'reconnecting' | 'closed';

/** A snapshot of how a follow is doing; a new object for every change. */
export interface FollowState {
  phase: FollowPhase;
  /** When the last event happened, in ms since the Unix epoch: its own time if replayed, else when it arrived. */
  lastEventAtMs: number | undefined;
  /** Local time of the next attempt while `reconnecting` and waiting. */
  retryAtMs: number | undefined;
  /** Since when the site itself gets no events from behind (RFC 3339), while it says so. */
  stalledSince: string | undefined;
  /** What ended the last stream, or the follow. */
  reason: string | undefined;
  error: BoardwireError | undefined;
}

export interface EventPlace {
  /** Absent on ephemeral events, which are not stored. */
  cursor: string | undefined;
  /** True while the stream catches up: it happened before this moment. */
  isReplay: boolean;
}

export interface FollowHandlers {
  /** Each matching event once, in order. */
  onEvent: (event: StoredEvent, place: EventPlace) => void;
  /** A gap can't be excluded: reload what is shown by history or state. Events go on from `head`. */
  onReset?: (reset: Reset) => void;
  /**
   * With `snapshot`: the newest event of each subject of class `state`, at the start, after every return and behind each
   * `onReset`. It takes the place of what is shown; an event whose cursor is not above its subject's here is in it already.
   */
  onSnapshot?: (state: StateAnswer) => void;
  /** With `overflow: 'conflate'`: so many events were left out for newer ones of their subjects, which follow. */
  onSkipped?: (count: number) => void;
  onState?: (state: FollowState) => void;
  onPresence?: (presence: Presence) => void;
  /** Who else types now, in the order in which they began; told over a WebSocket only. */
  onTyping?: (typists: readonly Typist[]) => void;
}

export const initialFollowState: FollowState = {
  phase: 'connecting',
  lastEventAtMs: undefined,
  retryAtMs: undefined,
  stalledSince: undefined,
  reason: undefined,
  error: undefined,
};
