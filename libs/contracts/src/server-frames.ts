import { z } from 'zod';
import { errorCodes, fieldErrorSchema, type ErrorCode } from './errors.ts';
import { reqSchema, subIdSchema, webSocketProtocol } from './frames.ts';
import { historyAnswerSchema, stateAnswerSchema } from './publish.ts';
import { caughtUpSchema, reconnectSchema, resetSchema, resumedSchema, skippedSchema, stalledSchema } from './sse.ts';

const errorCodeSchema = z.enum(errorCodes as [ErrorCode, ...ErrorCode[]]);
const cursorSchema = z.string();

export const presentUserSchema = z.object({ id: z.string(), name: z.string() });
export type PresentUser = z.infer<typeof presentUserSchema>;

/** The first frame to whoever has authenticated. */
export const welcomeFrameSchema = z.object({
  type: z.literal('welcome'),
  protocol: z.literal(webSocketProtocol),
  connection: z.string(),
  user: presentUserSchema.nullable(),
});
/** A request was done; the fields after `req` are a publish's. */
export const ackFrameSchema = z.object({
  type: z.literal('ack'),
  req: reqSchema,
  id: z.string().optional(),
  seq: z.number().int().optional(),
  cursor: cursorSchema.optional(),
  time: z.string().optional(),
  /** `ephemeral`: delivered to who is here and never stored, so there is no seq and no cursor. */
  outcome: z.enum(['created', 'repeated', 'ephemeral']).optional(),
});
/** A request was refused, or a subscription ended by a fault; without either, the connection itself. */
export const failFrameSchema = z.object({
  type: z.literal('fail'),
  req: reqSchema.optional(),
  sub: z.string().optional(),
  code: errorCodeSchema,
  detail: z.string().optional(),
  errors: z.array(fieldErrorSchema).optional(),
  retryAfterMs: z.number().nonnegative().optional(),
});

const ofSubscription = { sub: subIdSchema, cursor: cursorSchema };

export const resumedFrameSchema = z.object({ type: z.literal('resumed'), ...ofSubscription, ...resumedSchema.shape });
export const resetFrameSchema = z.object({ type: z.literal('reset'), ...ofSubscription, ...resetSchema.shape });
export const caughtUpFrameSchema = z.object({
  type: z.literal('caught_up'),
  ...ofSubscription,
  ...caughtUpSchema.shape,
});
/** `answer` is the body of `GET …/state`. */
export const stateFrameSchema = z.object({ type: z.literal('state'), ...ofSubscription, answer: stateAnswerSchema });
/** Many catch up at the same time; this one's turn comes. */
export const waitingFrameSchema = z.object({ type: z.literal('waiting'), sub: subIdSchema });
export const skippedFrameSchema = z.object({ type: z.literal('skipped'), sub: subIdSchema, ...skippedSchema.shape });
/** `answer` is the body of `GET …/events`. */
export const historyAnswerFrameSchema = z.object({
  type: z.literal('history'),
  req: reqSchema,
  answer: historyAnswerSchema,
});
export const typingNoticeFrameSchema = z.object({
  type: z.literal('typing'),
  board: z.string(),
  subject: z.string(),
  user: presentUserSchema,
  on: z.boolean(),
});
export const presenceListFrameSchema = z.object({
  type: z.literal('presence'),
  sub: subIdSchema,
  event: z.literal('list'),
  users: z.array(presentUserSchema),
  count: z.number().int(),
});
export const presenceChangeFrameSchema = z.object({
  type: z.literal('presence'),
  sub: subIdSchema,
  event: z.enum(['join', 'leave']),
  user: presentUserSchema,
  count: z.number().int(),
});
/** The cursor of each subscription, at every heartbeat. */
export const heartbeatFrameSchema = z.object({
  type: z.literal('heartbeat'),
  cursors: z.record(z.string(), cursorSchema),
});
export const stalledFrameSchema = z.object({ type: z.literal('stalled'), ...stalledSchema.shape });
export const liveFrameSchema = z.object({ type: z.literal('live') });
export const reconnectFrameSchema = z.object({ type: z.literal('reconnect'), ...reconnectSchema.shape });
export const revokedFrameSchema = z.object({ type: z.literal('revoked') });
export const pongFrameSchema = z.object({ type: z.literal('pong'), req: reqSchema.optional() });

/**
 * Frames the server sends. `event` frames are built by {@link eventFrame}, so that the stored bytes are not
 * re-serialised.
 */
export const serverFrameSchema = z.discriminatedUnion('type', [
  welcomeFrameSchema,
  ackFrameSchema,
  failFrameSchema,
  resumedFrameSchema,
  resetFrameSchema,
  caughtUpFrameSchema,
  stateFrameSchema,
  skippedFrameSchema,
  waitingFrameSchema,
  historyAnswerFrameSchema,
  typingNoticeFrameSchema,
  z.discriminatedUnion('event', [presenceListFrameSchema, presenceChangeFrameSchema]),
  heartbeatFrameSchema,
  stalledFrameSchema,
  liveFrameSchema,
  reconnectFrameSchema,
  revokedFrameSchema,
  pongFrameSchema,
]);
export type ServerFrame = z.infer<typeof serverFrameSchema>;

/** One event for one subscription. */
export const eventFrameSchema = z.object({
  type: z.literal('event'),
  sub: subIdSchema,
  /** Absent for an event of class `ephemeral`, which has no place in the log. */
  cursor: cursorSchema.optional(),
  event: z.record(z.string(), z.unknown()),
});
export type EventFrame = z.infer<typeof eventFrameSchema>;
