export { Accounts } from './accounts.ts';
export { Backoff, type BackoffOptions } from './backoff.ts';
export {
  BoardwireClient,
  newEventId,
  type BoardHistory,
  type BoardwireClientOptions,
  type FollowOptions,
  type HistoryOptions,
} from './boardwire-client.ts';
export { BoardwireError, type BoardwireErrorDetails, type ClientErrorCode } from './errors.ts';
export { EventStreamParser, type EventStreamHandlers, type StreamMessage } from './event-stream-parser.ts';
export { BoardFollow } from './follow.ts';
export type { EventPlace, FollowHandlers, FollowPhase, FollowState } from './follow-state.ts';
export type { OpenDescription, RequestDescription } from './http-door.ts';
export type { OutboxOptions } from './outbox.ts';
export type { Presence } from './presence-list.ts';
export type { Typist } from './typing-list.ts';
export type { KeptSession } from './tokens.ts';
export type { SocketConstructor, SocketLike } from './websocket-stream.ts';
