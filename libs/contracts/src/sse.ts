import { z } from 'zod';

/** Event names that only the server may use; with `named=1` a type of the same name is prefixed `app.`. */
export const reservedEventNames = [
  'resumed',
  'reset',
  'caught_up',
  'state',
  'skipped',
  'stalled',
  'live',
  'reconnect',
  'revoked',
  // EventSource's own: an event of these names would be taken for a connection event.
  'open',
  'error',
  'message',
] as const;

/** `disconnect` cuts a client that can't keep up, who misses nothing; `conflate` keeps the newest event per subject. */
export const overflows = ['disconnect', 'conflate'] as const;
export type Overflow = (typeof overflows)[number];

export const resetReasons = ['epoch', 'pruned', 'too_far', 'unknown'] as const;
export type ResetReason = (typeof resetReasons)[number];
export const reconnectReasons = ['busy', 'rate', 'drain', 'rotate', 'slow'] as const;
export type ReconnectReason = (typeof reconnectReasons)[number];

/** The one opening block of a stream whose cursor holds (or that is fresh: from = head, replayed = 0). */
export const resumedSchema = z.object({
  from: z.string(),
  head: z.string(),
  replayed: z.number().int().nonnegative(),
  epoch: z.string(),
});
export type Resumed = z.infer<typeof resumedSchema>;

/** The opening block (or a live one) that says that a gap can't be excluded; reload by history or state. */
export const resetSchema = z.object({
  requested: z.string().nullable(),
  reason: z.enum(resetReasons),
  oldest: z.string(),
  head: z.string(),
  /** With `too_far`: the path, with its query, of the history that begins where the replay would have. */
  history: z.string().optional(),
});
export type Reset = z.infer<typeof resetSchema>;

export const caughtUpSchema = z.object({ head: z.string() });
export type CaughtUp = z.infer<typeof caughtUpSchema>;

/** So many events were left out because newer ones of their subjects took their place. */
export const skippedSchema = z.object({ count: z.number().int().positive() });
export type Skipped = z.infer<typeof skippedSchema>;

export const reconnectSchema = z.object({ reason: z.enum(reconnectReasons), afterMs: z.number().nonnegative() });
export type Reconnect = z.infer<typeof reconnectSchema>;

export const stalledSchema = z.object({ since: z.string(), reason: z.enum(['bus', 'log']) });
export type Stalled = z.infer<typeof stalledSchema>;

const reserved = new Set<string>(reservedEventNames);

/** The `event:` name of an event type under `named=1`. */
export function sseEventName(type: string): string {
  return reserved.has(type) ? `app.${type}` : type;
}

/**
 * One block of the event stream format (WHATWG HTML, section 9.2). Data may have several lines; readers join them by
 * LF. A block without `id` leaves the client's cursor alone.
 *
 * @throws RangeError for an `id` or `event` with a line end or NUL: it would end the field, or be ignored.
 */
export function sseBlock(block: {
  id?: string | undefined;
  event?: string | undefined;
  data?: string | undefined;
  retryMs?: number | undefined;
}): string {
  let text = '';
  if (block.retryMs !== undefined) text += `retry: ${Math.max(0, Math.round(block.retryMs))}\n`;
  if (block.id !== undefined) text += `id: ${oneLine(block.id)}\n`;
  if (block.event !== undefined) text += `event: ${oneLine(block.event)}\n`;
  if (block.data !== undefined) text += `data: ${block.data.replaceAll(/\r\n|\r|\n/g, '\ndata: ')}\n`;
  return `${text}\n`;
}

function oneLine(field: string): string {
  // eslint-disable-next-line no-control-regex
  if (/[\r\n\u0000]/.test(field)) throw new RangeError('a field of an event stream is one line without NUL');
  return field;
}

/** A comment line; readers ignore it, proxies and people see it. */
export function sseComment(text: string): string {
  return `: ${text.replace(/[\r\n]+/g, ' ')}\n\n`;
}

/** The heartbeat: a block of `id:` alone refreshes `Last-Event-ID` and fires nothing, then a comment with the time. */
export function sseHeartbeat(cursor: string, at: Date): string {
  return `id: ${cursor}\n\n: ${at.toISOString()}\n\n`;
}
