import {
  authFrameSchema,
  historyFrameSchema,
  limits,
  pingFrameSchema,
  presenceFrameSchema,
  publishFrameSchema,
  subscribeFrameSchema,
  typingFrameSchema,
  unsubscribeFrameSchema,
} from '@boardwire/contracts';
import { z } from 'zod';

/**
 * Frames as the socket reads them. What a frame asks for is checked later and refused by itself; only what is not the
 * protocol at all ends the connection.
 */
const frameSchema = z.discriminatedUnion('type', [
  authFrameSchema,
  subscribeFrameSchema.extend({
    board: z.string().max(256),
    subjects: z.array(z.string()).default(['>']),
    types: z.array(z.string()).optional(),
    last: z.number().optional(),
  }),
  unsubscribeFrameSchema,
  publishFrameSchema.extend({ board: z.string().max(256), event: z.unknown() }),
  presenceFrameSchema,
  typingFrameSchema.extend({ board: z.string().max(256), subject: z.string() }),
  historyFrameSchema.extend({
    board: z.string().max(256),
    subjects: z.array(z.string()).default(['>']),
    types: z.array(z.string()).optional(),
    limit: z.number().default(limits.historyPageDefault),
  }),
  pingFrameSchema,
]);
export type ReadFrame = z.infer<typeof frameSchema>;
export type FrameOf<T extends ReadFrame['type']> = Extract<ReadFrame, { type: T }>;

/** @returns why it is no frame of the protocol. */
export function readFrame(text: string): ReadFrame | { wrong: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { wrong: 'not JSON' };
  }
  const result = frameSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return { wrong: `${issue?.path.join('.') || 'frame'}: ${issue?.message ?? 'not a frame'}`.slice(0, 200) };
}
