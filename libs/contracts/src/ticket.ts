import { z } from 'zod';
import { boardSlugSchema, filterSchema } from './board.ts';
import { boardGrantSchema } from './auth.ts';
import { limits } from './limits.ts';

/**
 * `POST /v1/stream-tickets`: a ticket for clients that can't set headers, as `?ticket=` on SSE and WebSocket. An SSE
 * ticket is bound to its session, board and filters, and serves reconnects of the same URL until the session ends, one
 * open stream at a time: the newest. A WebSocket ticket (no board) is used once. First use within
 * `limits.ticketFirstUseMs`.
 */
export const ticketRequestSchema = z.union([
  z.strictObject({
    transport: z.literal('sse').default('sse'),
    board: boardSlugSchema,
    subjects: z.array(filterSchema).min(1).max(limits.filtersPerSubscriptionMax).default(['>']),
  }),
  z.strictObject({ transport: z.literal('ws') }),
]);
export type TicketRequest = z.infer<typeof ticketRequestSchema>;

/** 201. `firstUseBy` is RFC 3339 UTC. */
export const ticketAnswerSchema = z.object({ ticket: z.string(), firstUseBy: z.string() });
export type TicketAnswer = z.infer<typeof ticketAnswerSchema>;

/** `POST /internal/v1/stream-tickets/use`, by a gateway: 200 with who stands behind it, or 401 `ticket_refused`. */
export const ticketUseRequestSchema = z.union([
  z.strictObject({
    ticket: z.string().min(1).max(128),
    transport: z.literal('sse'),
    board: z.string(),
    subjects: z.array(z.string()),
  }),
  z.strictObject({ ticket: z.string().min(1).max(128), transport: z.literal('ws') }),
]);
export type TicketUseRequest = z.infer<typeof ticketUseRequestSchema>;

export const ticketUseAnswerSchema = z.object({
  userId: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  sessionId: z.string(),
  /** When the session ends by itself: a stream opened by ticket ends with the session, not with an access token. */
  sessionEndsAt: z.string(),
  boards: z.array(boardGrantSchema),
  /** Counts the ticket's uses. An older use of it than this is to be ended. */
  use: z.number().int().positive(),
});
export type TicketUseAnswer = z.infer<typeof ticketUseAnswerSchema>;
