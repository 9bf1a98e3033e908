/**
 * Following boards without a gap, for gateway, audit and federation.
 *
 * JetStream brings events quickly, chat's log says which there are: what the one loses is read from the other. Per
 * board, events come in seq order, without a hole, each once per process; across boards there is no order.
 */
export { BoardFollower } from './board-follower.ts';
export type { BoardFollowerOptions, BoardPosition, EpochStart, MarkStore } from './board-follower-options.ts';
export type { ChatLog, RangeOptions } from './chat-log.ts';
export { chatLogOver } from './http-chat-log.ts';
export type { FollowedEvent } from './followed-event.ts';
export type { EventsHandler } from './handover.ts';
