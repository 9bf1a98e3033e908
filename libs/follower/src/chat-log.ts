import type { FollowerMarks, RangePage, SyncResponse } from '@boardwire/contracts';

/** The truth that a follower measures JetStream against: chat's internal routes. */
export interface ChatLog {
  /** Long poll: what changed since a version. Without one, everything. */
  sync(since: string | undefined, signal: AbortSignal): Promise<SyncResponse>;
  /** Every seq from `from` on, as many as fit a page, none left out. `to` is inclusive. */
  range(board: string, options: RangeOptions): Promise<RangePage>;
  /** How far the calling service has stored each board. */
  noteMarks?(marks: FollowerMarks): Promise<void>;
}

export interface RangeOptions {
  from: number;
  to: number;
  limit: number;
  signal: AbortSignal;
}
