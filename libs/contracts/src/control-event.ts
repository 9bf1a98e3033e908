import { z } from 'zod';
import { errorCodes, fieldErrorSchema, type ErrorCode } from './errors.ts';
import {
  caughtUpSchema,
  reconnectSchema,
  resetSchema,
  resumedSchema,
  skippedSchema,
  stalledSchema,
  type CaughtUp,
  type Reconnect,
  type Reset,
  type Resumed,
  type Skipped,
  type Stalled,
} from './sse.ts';

/** WebSocket subprotocol of the CloudEvents binding: each message is one event in the JSON format. */
export const cloudEventsProtocol = 'cloudevents.json';

/** Why an event that was sent is not taken; the connection closes behind it. */
export const refusedEventSchema = z.object({
  id: z.string().optional(),
  code: z.enum(errorCodes as [ErrorCode, ...ErrorCode[]]),
  detail: z.string().optional(),
  errors: z.array(fieldErrorSchema).optional(),
  retryAfterMs: z.number().optional(),
});
export type RefusedEvent = z.infer<typeof refusedEventSchema>;

const nothing = z.object({});

/** What the server says of itself under `cloudevents.json`, by its type behind `boardwire.`. */
export const controlData = {
  resumed: resumedSchema,
  reset: resetSchema,
  caught_up: caughtUpSchema,
  skipped: skippedSchema,
  heartbeat: nothing,
  waiting: nothing,
  stalled: stalledSchema,
  live: nothing,
  reconnect: reconnectSchema,
  revoked: nothing,
  refused: refusedEventSchema,
} as const satisfies Record<string, z.ZodType>;
export type ControlName = keyof typeof controlData;

interface ControlDataOf {
  resumed: Resumed;
  reset: Reset;
  caught_up: CaughtUp;
  skipped: Skipped;
  heartbeat: Record<string, never>;
  waiting: Record<string, never>;
  stalled: Stalled;
  live: Record<string, never>;
  reconnect: Reconnect;
  revoked: Record<string, never>;
  refused: RefusedEvent;
}

/** People publish as `/users/<id>`, so this source is the server's alone. */
export const boardSource = (board: string) => `/boards/${board}`;

/** A CloudEvent in which the server speaks; `cursor` where it moves the reader's. */
export function controlEvent<N extends ControlName>(
  name: N,
  said: { board: string; data: ControlDataOf[N]; cursor?: string; id: string; time: string },
): string {
  const { board, data, cursor, id, time } = said;
  return JSON.stringify({
    ...(cursor === undefined ? {} : { cursor }),
    specversion: '1.0',
    id,
    source: boardSource(board),
    type: `boardwire.${name}`,
    time,
    datacontenttype: 'application/json',
    data,
  });
}

/** The schema of {@link controlEvent}. */
export function controlEventSchema(name: ControlName) {
  return z.object({
    cursor: z.string().optional(),
    specversion: z.literal('1.0'),
    id: z.string(),
    source: z.string(),
    type: z.literal(`boardwire.${name}`),
    time: z.string(),
    datacontenttype: z.literal('application/json'),
    data: controlData[name],
  });
}
