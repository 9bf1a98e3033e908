import type { LogEvent } from './board-ring.ts';
import type { EphemeralEvent } from './ephemeral-lane.ts';
import type { FilterSet } from './filter-set.ts';

/** Turns the events of one pass into the bytes that every member of a group gets. */
export interface GroupEncoder {
  /** Groups with equal keys produce equal bytes from equal events; absent when the encoder keeps state of its own. */
  readonly sharedKey?: string;
  encode(epoch: string, events: readonly LogEvent[]): Buffer;
  /** Absent where ephemeral events have no place on the wire. Only for encoders with a shared key. */
  encodeEphemeral?(events: readonly EphemeralEvent[]): Buffer;
}

/** One open subscription as the fan-out sees it. */
export interface LiveMember {
  /** Everything up to this seq has been written to it before it joined. */
  readonly joinedAt: number;
  /** Takes the events of a pass that it wants, as bytes and as they are. @param upTo the last seq of the pass */
  deliver(bytes: Buffer, events: readonly LogEvent[], upTo: number): void;
  /** Absent where the encoder has no word for them. @returns false when there is no room for what may be dropped. */
  deliverEphemeral?(bytes: Buffer, events: number): boolean;
  /** The board's log started again; everything up to `head` of the new epoch is behind it. */
  onReset(change: EpochChange): void;
  /** Too much came at once: it has been written up to `position` and reads on by itself. */
  onBehind(position: number): void;
  /** The pass under way ends here because rules have changed: who has not been served yet reads on from `position`. */
  onInterrupted(position: number): void;
  /** Its encoder failed: it ends, and nobody else does. */
  fail(error: unknown): void;
}

export interface EpochChange {
  epoch: string;
  head: number;
  /** The cursor up to which the old epoch was delivered. */
  previous: string;
  reason: 'epoch' | 'unknown' | 'pruned';
}

/** All live subscriptions that get the same bytes. */
export class LiveGroup {
  readonly members = new Set<LiveMember>();
  /** Events of the pass under way that this group wants. */
  matched: LogEvent[] = [];
  readonly key: string;
  readonly wanted: FilterSet;
  readonly encoder: GroupEncoder;

  constructor(options: { key: string; wanted: FilterSet; encoder: GroupEncoder }) {
    this.key = options.key;
    this.wanted = options.wanted;
    this.encoder = options.encoder;
  }

  takeMatched(): LogEvent[] {
    const taken = this.matched;
    this.matched = [];
    return taken;
  }
}
