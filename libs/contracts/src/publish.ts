import { z } from 'zod';
import { errorCodes, fieldErrorSchema, type ErrorCode } from './errors.ts';

/** Answer of `POST /v1/boards/{board}/events` to one event: 201 when created, 200 when repeated. */
export const publishReceiptSchema = z.object({
  id: z.string(),
  board: z.string(),
  seq: z.number().int(),
  cursor: z.string(),
  time: z.string(),
});
export type PublishReceipt = z.infer<typeof publishReceiptSchema>;

/** Answer to an event of class `ephemeral`: 202, delivered to who is here and never stored. */
export const ephemeralReceiptSchema = z.object({ id: z.string(), board: z.string(), time: z.string() });
export type EphemeralReceipt = z.infer<typeof ephemeralReceiptSchema>;

/** One event's answer inside a batch: `status` is what a single post would have got. */
export const batchOutcomeSchema = z.union([
  publishReceiptSchema.extend({ status: z.union([z.literal(200), z.literal(201)]) }),
  ephemeralReceiptSchema.extend({ status: z.literal(202) }),
  z.object({
    id: z.string().optional(),
    status: z.number().int(),
    code: z.enum(errorCodes as [ErrorCode, ...ErrorCode[]]),
    detail: z.string().optional(),
    errors: z.array(fieldErrorSchema).optional(),
  }),
]);
export type BatchOutcome = z.infer<typeof batchOutcomeSchema>;

export const eventMediaTypes = {
  structured: 'application/cloudevents+json',
  batch: 'application/cloudevents-batch+json',
  plain: 'application/json',
  lines: 'application/x-ndjson',
} as const;

/** `GET /v1/boards/{board}/events` as JSON: chronological order; `next` and `prev` also stand in the `Link` header. */
export const historyAnswerSchema = z.object({
  board: z.string(),
  epoch: z.string(),
  head: z.string(),
  /** The cursor before the first event that the board still keeps. */
  oldest: z.string(),
  events: z.array(z.looseObject({ cursor: z.string(), id: z.string() })),
  next: z.string().nullable(),
  prev: z.string().nullable(),
});

/** `GET /v1/boards/{board}/state`: the newest event of each subject of class `state`, as the board stood at `head`. */
export const stateAnswerSchema = historyAnswerSchema.extend({
  /** False when there are more subjects than fit: these have the newest events. */
  complete: z.boolean(),
});
export type StateAnswer = z.infer<typeof stateAnswerSchema>;

/** `GET /v1/boards/{board}/presence`. */
export const presenceAnswerSchema = z.object({
  count: z.number().int(),
  users: z.array(z.object({ id: z.string(), name: z.string() })),
});
