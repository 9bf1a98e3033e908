import type { Pace } from '../load/pace.ts';
import type { Target } from '../load/load-generator.ts';

export interface FeedPlan extends Pace {
  /** Whether a server that can choose writes a burst at once. */
  isBatched: boolean;
}

/** A server under test and whoever gives it events. */
export interface Contender {
  readonly name: string;
  /** The process whose CPU and memory count. */
  readonly pid: number;
  readonly target: Target;
  /** Number of the event that is fed next. */
  readonly next: number;
  /** @returns how many events the server was given. */
  feed(plan: FeedPlan): Promise<number>;
  stop(): Promise<void>;
}
