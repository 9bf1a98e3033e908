import { siteIdSchema } from '@boardwire/contracts';

/** Whose feed an item says that it is of. Proves nothing. */
export function originOf(item: unknown): string | undefined {
  return siteIdSchema.safeParse(headerOf(item)?.['site']).data;
}

/** The header inside an item, of which nothing is proven; undefined for what is none. */
export function headerOf(item: unknown): Record<string, unknown> | undefined {
  const h = (item as { h?: unknown } | null | undefined)?.h;
  if (typeof h !== 'string') return undefined;
  try {
    const json: unknown = JSON.parse(Buffer.from(h, 'base64url').toString('utf8'));
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
