import { limits, subjectSchema } from '@boardwire/contracts';
import { z } from 'zod';

/** What pods tell each other on `typing.<board>`, as JSON. */
const typingMessageSchema = z.object({
  pod: z.string().min(1).max(253),
  subject: subjectSchema,
  user: z.object({ id: z.string().min(1).max(128), name: z.string().max(256) }),
  on: z.boolean(),
  /** The user has posted to the subject: typing ends on whichever pod it was. */
  isPosted: z.boolean().optional(),
});
export type TypingMessage = z.infer<typeof typingMessageSchema>;

const bytesMax = 4 * limits.subjectBytesMax + 4_096;

export function encodeTyping(message: TypingMessage): string {
  return JSON.stringify(message);
}

/** @returns undefined for what is no message: anybody on the bus may send anything. */
export function decodeTyping(data: Uint8Array): TypingMessage | undefined {
  if (data.length > bytesMax) return undefined;
  try {
    return typingMessageSchema.safeParse(JSON.parse(Buffer.from(data).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
