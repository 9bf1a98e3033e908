import { z } from 'zod';
import { boardSlugSchema, filterSchema } from './board.ts';
import { cloudEventSchema, plainEventSchema, subjectSchema } from './event.ts';
import type { ErrorCode, FieldError } from './errors.ts';
import { overflows, type ReconnectReason, type ResetReason } from './sse.ts';
import { limits } from './limits.ts';

/** WebSocket subprotocol: JSON text frames. */
export const webSocketProtocol = 'boardwire.v1';

const reqSchema = z.union([z.string().max(64), z.number().int()]);
const subIdSchema = z.string().min(1).max(64);

export const authFrameSchema = z.strictObject({
  type: z.literal('auth'),
  token: z.string().min(1).max(16_384),
  req: reqSchema.optional(),
});
export const subscribeFrameSchema = z.strictObject({
  type: z.literal('subscribe'),
  /** The client's own name for the subscription, unique on its socket. */
  sub: subIdSchema,
  board: boardSlugSchema,
  subjects: z.array(filterSchema).min(1).max(limits.filtersPerSubscriptionMax).default(['>']),
  types: z.array(z.string().max(128)).max(32).optional(),
  /** Cursor, or `start`. */
  after: z.string().max(64).optional(),
  last: z.number().int().min(0).max(limits.lastMax).optional(),
  /** First the newest event of each subject of class `state`, as `GET …/state` answers it. */
  snapshot: z.literal('state').optional(),
  overflow: z.enum(overflows).optional(),
});
export const unsubscribeFrameSchema = z.strictObject({
  type: z.literal('unsubscribe'),
  sub: subIdSchema,
  req: reqSchema.optional(),
});
export const publishFrameSchema = z.strictObject({
  type: z.literal('publish'),
  req: reqSchema,
  board: boardSlugSchema,
  event: z.union([cloudEventSchema, plainEventSchema]),
});
/** `on` (the default) answers the list and tells joins and leaves from then on; `off` ends that. */
export const presenceFrameSchema = z.strictObject({
  type: z.literal('presence'),
  sub: subIdSchema,
  state: z.enum(['on', 'off']).optional(),
  req: reqSchema.optional(),
});
/** A page of history, as `GET …/events` answers it. */
export const historyFrameSchema = z.strictObject({
  type: z.literal('history'),
  req: reqSchema,
  board: boardSlugSchema,
  subjects: z.array(filterSchema).min(1).max(limits.filtersPerSubscriptionMax).default(['>']),
  types: z.array(z.string().max(128)).max(32).optional(),
  after: z.string().max(64).optional(),
  before: z.string().max(64).optional(),
  limit: z.number().int().min(1).max(limits.historyPageMax).default(limits.historyPageDefault),
});
/** A keystroke, or the end of typing. It runs out after `limits.typingMs`, on a post to the subject, and on leave. */
export const typingFrameSchema = z.strictObject({
  type: z.literal('typing'),
  board: boardSlugSchema,
  subject: subjectSchema,
  on: z.boolean(),
  req: reqSchema.optional(),
});
export const pingFrameSchema = z.strictObject({ type: z.literal('ping'), req: reqSchema.optional() });

export const clientFrameSchema = z.discriminatedUnion('type', [
  authFrameSchema,
  subscribeFrameSchema,
  unsubscribeFrameSchema,
  publishFrameSchema,
  presenceFrameSchema,
  historyFrameSchema,
  typingFrameSchema,
  pingFrameSchema,
]);
export type ClientFrame = z.infer<typeof clientFrameSchema>;

export interface PresentUser {
  id: string;
  name: string;
}

/** Frames the server sends. `event` frames are built by {@link eventFrame}, so that the stored bytes are not re-serialised. */
export type ServerFrame =
  | { type: 'welcome'; protocol: typeof webSocketProtocol; connection: string; user: PresentUser | null }
  | {
      type: 'ack';
      req: string | number;
      id?: string;
      seq?: number;
      cursor?: string;
      time?: string;
      /** `ephemeral`: delivered to who is here and never stored, so there is no seq and no cursor. */
      outcome?: 'created' | 'repeated' | 'ephemeral';
    }
  | {
      type: 'fail';
      req?: string | number;
      sub?: string;
      code: ErrorCode;
      detail?: string;
      errors?: FieldError[];
      retryAfterMs?: number;
    }
  | { type: 'resumed'; sub: string; cursor: string; from: string; head: string; replayed: number; epoch: string }
  | {
      type: 'reset';
      sub: string;
      cursor: string;
      requested: string | null;
      reason: ResetReason;
      oldest: string;
      head: string;
    }
  | { type: 'caught_up'; sub: string; cursor: string; head: string }
  /** `answer` is the body of `GET …/state`. */
  | { type: 'state'; sub: string; cursor: string; answer: unknown }
  | { type: 'skipped'; sub: string; count: number }
  /** `answer` is the body of `GET …/events`. */
  | { type: 'history'; req: string | number; answer: unknown }
  | { type: 'typing'; board: string; subject: string; user: PresentUser; on: boolean }
  | { type: 'presence'; sub: string; event: 'list'; users: PresentUser[]; count: number }
  | { type: 'presence'; sub: string; event: 'join' | 'leave'; user: PresentUser; count: number }
  | { type: 'heartbeat'; cursors: Record<string, string> }
  | { type: 'stalled'; since: string; reason: 'bus' | 'log' }
  | { type: 'live' }
  | { type: 'reconnect'; reason: ReconnectReason; afterMs: number }
  | { type: 'revoked' }
  | { type: 'pong'; req?: string | number };

export interface EventFrame {
  type: 'event';
  sub: string;
  /** Absent for an event of class `ephemeral`, which has no place in the log. */
  cursor?: string;
  event: Record<string, unknown>;
}

/** The frame of one stored event for one subscription. `sub` is the client's text and is escaped once per subscription. */
export function eventFrame(escapedSub: string, cursor: string, storedJson: string): string {
  return `{"type":"event","sub":${escapedSub},"cursor":"${cursor}","event":${storedJson}}`;
}

/** The frame of one ephemeral event: it has no cursor. */
export function ephemeralFrame(escapedSub: string, json: string): string {
  return `{"type":"event","sub":${escapedSub},"event":${json}}`;
}
