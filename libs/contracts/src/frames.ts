import { z } from 'zod';
import { boardSlugSchema, filterSchema } from './board.ts';
import { cloudEventSchema } from './cloud-event.ts';
import { plainEventSchema, subjectSchema } from './event.ts';
import { overflows } from './sse.ts';
import { limits } from './limits.ts';

/** WebSocket subprotocol: JSON text frames. */
export const webSocketProtocol = 'boardwire.v1';

export const reqSchema = z.union([z.string().max(64), z.number().int()]);
export const subIdSchema = z.string().min(1).max(64);

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

/** The frame of one stored event for one subscription. `sub` is the client's text and is escaped once per subscription. */
export function eventFrame(escapedSub: string, cursor: string, storedJson: string): string {
  return `{"type":"event","sub":${escapedSub},"cursor":"${cursor}","event":${storedJson}}`;
}

/** The frame of one ephemeral event: it has no cursor. */
export function ephemeralFrame(escapedSub: string, json: string): string {
  return `{"type":"event","sub":${escapedSub},"event":${json}}`;
}
