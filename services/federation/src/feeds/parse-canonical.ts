import { federationLimits } from '@boardwire/contracts';
import { canonicalBytes } from '@boardwire/signing';
import type { z } from 'zod';

/**
 * The value that these bytes are the one RFC 8785 form of. Anything else is undefined: a repeated member, a lone
 * surrogate, a blank or bad UTF-8 would let two parsers read two things in the same signed bytes.
 */
export function parseCanonical<T>(bytes: Buffer, schema: z.ZodType<T>): T | undefined {
  try {
    const json: unknown = JSON.parse(bytes.toString('utf8'));
    if (!canonicalBytes(json).equals(bytes) || depthOf(json) > federationLimits.jsonDepthMax) return undefined;
    return schema.safeParse(json).data;
  } catch {
    return undefined;
  }
}

/** Canonical bytes are nested 64 deep at most, so that this can't run out of stack. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
