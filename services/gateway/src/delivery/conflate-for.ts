import { ConflatingWriter } from './conflating-writer.ts';
import type { FilterSet } from './filter-set.ts';
import { eventSlice } from './shared-slices.ts';
import type { SubscriptionOptions } from './subscription-options.ts';

/** A subscription as its conflating writer sees it. */
export interface ConflatedReader {
  readonly wanted: FilterSet;
  /** Up to where everything has been written. */
  readonly reached: number;
  fail(error: unknown): void;
}

/** The writer of a subscription that conflates: events are encoded once for each format, however many are behind. */
export function conflateFor(reader: ConflatedReader, options: SubscriptionOptions): ConflatingWriter {
  const { channel, format, outbox, observer } = options;
  return new ConflatingWriter({
    outbox,
    position: () => reader.reached,
    encode: (event) => {
      // It may have been removed, or its subject closed to the reader, since.
      const current = channel.ring.get(event.seq) ?? event;
      return channel.shows(current, reader.wanted) ? eventSlice(options, current) : undefined;
    },
    skipped: (count) => format.skipped(count),
    onConflated: (events) => observer.onConflated(events),
    onFailed: (error) => reader.fail(error),
  });
}
