import { formatCursor } from '@boardwire/contracts';
import type { EpochChange } from './live-group.ts';
import type { Opening, StreamStart } from './stream-start.ts';
import type { SubscriptionOptions } from './subscription-options.ts';

type Reading = Pick<SubscriptionOptions, 'channel' | 'format' | 'outbox' | 'observer'>;

/** The one opening block of a stream. */
export function writeOpening(
  { channel, format, outbox, observer }: Reading,
  opening: Opening,
  start: StreamStart,
): void {
  if (opening.kind === 'reset') {
    outbox.write(format.reset(opening.reset));
    observer.onOpened(opening.reset.reason, 0);
    return;
  }
  outbox.write(format.resumed(opening.resumed));
  const isFresh = start.kind === 'live' || start.kind === 'last';
  observer.onOpened(isFresh ? 'fresh' : 'resumed', Math.max(0, channel.passed - opening.position));
}

/** The block in an open stream that says that it starts over. */
export function writeReset({ channel, format, outbox }: Reading, { epoch, head, previous, reason }: EpochChange): void {
  const oldest = formatCursor(epoch, channel.oldest - 1);
  outbox.write(format.reset({ requested: previous, reason, oldest, head: formatCursor(epoch, head) }));
}
