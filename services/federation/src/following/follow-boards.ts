import { durables } from '@boardwire/contracts';
import { BoardFollower, type ChatLog, type FollowedEvent } from '@boardwire/follower';
import type { Bus } from '@boardwire/messaging';
import type { ServiceContext } from '@boardwire/service-kit';
import type { FederationMetrics } from '../metrics.ts';
import type { FederationMarks } from './mark-store.ts';

export interface FollowBoardsOptions {
  bus: Bus;
  chat: ChatLog;
  context: ServiceContext;
  marks: FederationMarks;
  metrics: FederationMetrics;
}

/**
 * Follows every board's log to the end and keeps the position. What belongs into a feed is taken from here.
 */
export function followBoards({ bus, chat, context, marks, metrics }: FollowBoardsOptions): BoardFollower {
  return new BoardFollower({
    name: 'federation',
    bus,
    chat,
    context,
    marks,
    durable: durables.federation,
    paceMs: 100,
    onEvents: async (board: string, events: FollowedEvent[]) => {
      const last = events.at(-1);
      if (last === undefined) return;
      await marks.advance(board, last.epoch, last.seq);
      metrics.followed(events);
    },
  });
}
