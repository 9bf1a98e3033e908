import { boardGrantSchema, roleSchema } from '@boardwire/contracts';
import { z } from 'zod';

/** What a signature may be of. Neither `none` nor a secret that both sides share proves who has signed. */
const algorithms = ['EdDSA', 'ES256', 'RS256'] as const;

/** Somebody else's issuer of tokens, and how far its word goes here. */
export const trustedIssuerSchema = z.strictObject({
  /** The `iss` claim of its tokens. */
  issuer: z.string().min(1).max(256),
  jwksUrl: z.url({ protocol: /^https?$/ }),
  /** The `aud` claim that its tokens for this site have. */
  audience: z.string().min(1).max(256).default('boardwire'),
  /** Stands in front of its people's ids here. By default the host of the issuer. */
  slug: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
    .optional(),
  algorithms: z
    .array(z.enum(algorithms))
    .min(1)
    .default([...algorithms]),
  /** Roles that its tokens may name; never one that administers. */
  roles: z.array(roleSchema.extract(['user', 'guest', 'publisher'])).default(['user']),
  /** The most that its people may do. A token's `boards` claim can only ask for less. */
  boards: z.array(boardGrantSchema).default([
    { board: 'events', publish: [], subscribe: ['>'] },
    { board: 'forum', publish: [], subscribe: ['>'] },
  ]),
});
export type TrustedIssuer = z.infer<typeof trustedIssuerSchema> & { slug: string };

/** `TRUSTED_ISSUERS`: a JSON list, or `issuer=jwksUrl` separated by blanks or commas. */
export const trustedIssuersKey = z
  .string()
  .transform((text, context) => {
    const trimmed = text.trim();
    if (!trimmed.startsWith('[')) return pairsOf(trimmed);
    try {
      return JSON.parse(trimmed) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'not JSON' });
      return z.NEVER;
    }
  })
  .pipe(z.array(trustedIssuerSchema))
  .transform((issuers) => issuers.map((issuer) => ({ ...issuer, slug: issuer.slug ?? slugOf(issuer.issuer) })))
  .refine((issuers) => new Set(issuers.map(({ issuer }) => issuer)).size === issuers.length, 'an issuer is named twice')
  .refine((issuers) => new Set(issuers.map(({ slug }) => slug)).size === issuers.length, {
    message: 'two issuers have one slug: give each its own',
  });

/** The address of the keys starts behind the first `=http`: an issuer may hold an equals sign itself. */
function pairsOf(text: string): unknown[] {
  return text
    .split(/[\s,]+/)
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.search(/=https?:/);
      return at < 0 ? { issuer: pair } : { issuer: pair.slice(0, at), jwksUrl: pair.slice(at + 1) };
    });
}

function slugOf(issuer: string): string {
  const host = URL.canParse(issuer) ? new URL(issuer).host : issuer;
  const slug = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 32);
  return slug === '' ? 'issuer' : slug;
}
