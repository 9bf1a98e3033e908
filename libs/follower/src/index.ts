export {
  BoardFollower,
  type BoardFollowerOptions,
  type BoardPosition,
  type EpochStart,
  type MarkStore,
} from './board-follower.ts';
export type { ChatLog, RangeOptions } from './chat-log.ts';
export { chatLogOver } from './http-chat-log.ts';
export type { FollowedEvent } from './followed-event.ts';
export type { EventsHandler } from './handover.ts';
