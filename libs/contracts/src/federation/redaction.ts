import { z } from 'zod';
import type { StoredEvent } from '../event.ts';
import { limits } from '../limits.ts';
import { redactedEventSchema, type RedactedEvent } from './feed-header.ts';

/**
 * Type of the event that tells readers, and other sites, whose content was removed: its data is a {@link RedactedEvent}.
 * It comes on the subject of the removed event, and nobody but the platform publishes it.
 */
export const redactedType = 'board.event.redacted';
/** Source of all of them, and of nothing else; what it names is never redacted itself. */
export const redactionSource = '/redactions';

/**
 * Whose content an event says is gone; undefined of everything that is not the platform's own notice. People publish
 * neither that type nor under that source, so that nobody takes away what others say.
 */
export function redactedBy({ type, source, class: eventClass, data }: StoredEvent): RedactedEvent | undefined {
  if (type !== redactedType || source !== redactionSource || eventClass !== 'log') return undefined;
  return redactedEventSchema.safeParse(data).data;
}

/**
 * `POST /internal/v1/boards/{board}/redactions`, for federation alone: content that another site has removed. What this
 * board hasn't got is passed over; 204, also when repeated.
 */
export const redactionsRequestSchema = z.strictObject({
  items: z
    .array(redactedEventSchema.extend({ by: z.string().max(256) }))
    .min(1)
    .max(limits.appendBatchEventsMax),
});
export type RedactionsRequest = z.infer<typeof redactionsRequestSchema>;
