import { durables } from '@boardwire/contracts';
import { BoardFollower, type ChatLog, type FollowedEvent } from '@boardwire/follower';
import type { Bus } from '@boardwire/messaging';
import type { ServiceContext } from '@boardwire/service-kit';
import type { FederationMetrics } from '../metrics.ts';
import type { FeedParts } from '../feeds/build-feeds.ts';
import type { FederationMarks } from './mark-store.ts';

export interface FollowBoardsOptions {
  bus: Bus;
  chat: ChatLog;
  context: ServiceContext;
  marks: FederationMarks;
  feeds: Pick<FeedParts, 'ownFeeds' | 'onControl'>;
  metrics: FederationMetrics;
}

/** What is shared is on its way to other people, who wait for it; of everything else only the mark moves. */
const sharedPaceMs = 15;
const alonePaceMs = 100;

/** Follows every board's log to its end: what belongs into a feed goes there together with the position. */
export function followBoards(options: FollowBoardsOptions): BoardFollower {
  const { bus, chat, context, marks, feeds, metrics } = options;
  return new BoardFollower({
    name: 'federation',
    bus,
    chat,
    context,
    marks,
    durable: durables.federation,
    paceMs: (board) => (feeds.ownFeeds.isShared(board) ? sharedPaceMs : alonePaceMs),
    onEvents: async (board: string, events: FollowedEvent[]) => {
      await feeds.ownFeeds.take(board, events);
      metrics.followed(events);
    },
    onControl: feeds.onControl,
  });
}
