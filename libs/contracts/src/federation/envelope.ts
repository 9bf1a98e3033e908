import { z } from 'zod';

const base64urlSchema = z.string().regex(/^[A-Za-z0-9_-]*$/);

/** A DSSE envelope on the wire; payload and signatures are base64url without padding. */
export const envelopeSchema = z.strictObject({
  payloadType: z.string().max(128),
  payload: base64urlSchema.min(1).max(65_536),
  signatures: z
    .array(z.strictObject({ keyid: z.string().max(128), sig: base64urlSchema.max(128) }))
    .min(1)
    .max(4),
});
