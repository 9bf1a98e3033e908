import type { LogEvent } from './board-ring.ts';
import type { FilterSet } from './filter-set.ts';
import type { ReplayPage } from './replay-source.ts';
import type { BoardState } from './state-reader.ts';
import type { SubscriptionOptions } from './subscription-options.ts';

type Shared = Pick<SubscriptionOptions, 'channel' | 'format' | 'slices'>;

/** A page of a replay, encoded once for all who read the same from the same place. */
export function pageSlice(
  { channel, format, slices }: Shared,
  { page, after, wanted }: { page: ReplayPage; after: number; wanted: FilterSet },
): Buffer {
  const { board, epoch } = channel;
  const key = JSON.stringify([board, epoch, page.removals, after, page.to, wanted.key, format.key]);
  return slices.take(key, () => format.events(channel.epoch, page.events));
}

/** One event by itself, encoded once however many readers are behind. */
export function eventSlice({ channel, format, slices }: Shared, event: LogEvent): Buffer {
  const key = JSON.stringify([channel.board, channel.epoch, event.seq, format.key]);
  return slices.take(key, () => format.events(channel.epoch, [event]));
}

/** The state of a board, encoded once for all who open where it was read. */
export function stateSlice(
  { channel, format, slices }: Shared,
  { state, cursor, wanted }: { state: BoardState; cursor: string; wanted: FilterSet },
): Buffer {
  const { head, removals } = state;
  const key = JSON.stringify(['state', channel.board, removals, cursor, head, wanted.key, format.key]);
  return slices.take(key, () => format.state!(cursor, state.json));
}
