import { z } from 'zod';

export const keyUses = ['root', 'hop', 'event', 'checkpoint'] as const;

/** The signed site document at `/.well-known/boardwire`. */
export const siteDocumentSchema = z.object({
  /** Rises with every change. */
  ver: z.number().int().positive(),
  site: z.string().regex(/^bs1[a-z2-7]{52}$/),
  name: z.string(),
  protocols: z.array(z.string()),
  endpoints: z.array(z.string()),
  /** Ed25519 public keys, base64url of the raw 32 bytes. */
  keys: z.array(z.object({ kid: z.string(), use: z.enum(keyUses), alg: z.literal('ed25519'), public: z.string() })),
  issued: z.string(),
});
export type SiteDocument = z.infer<typeof siteDocumentSchema>;

/** The document's RFC 8785 bytes, base64url, and the root key's signature over their DSSE pre-authentication encoding. */
export const signedSiteDocumentSchema = z.object({
  payloadType: z.literal('application/vnd.boardwire.site+json'),
  payload: z.string(),
  signatures: z.array(z.object({ keyid: z.string(), sig: z.string() })).min(1),
});
export type SignedSiteDocument = z.infer<typeof signedSiteDocumentSchema>;
