import { federationLimits, keyIdSchema, siteIdSchema, wireItemSchema, type WireItem } from '@boardwire/contracts';
import type { Signature } from '../feeds/feed-items.ts';
import type { Unverifiable } from './item-outcome.ts';

/** An item out of its encoding, of which nothing is proven yet. */
export interface UnverifiedItem {
  header: Buffer;
  sigs: readonly Signature[];
  salt: Buffer | null;
  data: Buffer | null;
  via: readonly string[];
  /** What stands in for the data, unproven as well. */
  withheldBy: WireItem['redaction'];
  /** Whose key it claims to be signed with. */
  claim: { site: string; kid: string };
}

const saltBytes = 16;

/**
 * Decodes an item within its bounds, and reads from its header whose key to check it with: no more than a claim. A forged
 * one names a key that the signature doesn't hold under, or a site that isn't the signer's and so fails with its key.
 */
export function peekItem(item: unknown): UnverifiedItem | Unverifiable {
  const parsed = wireItemSchema.safeParse(item);
  if (!parsed.success) return 'malformed';
  const { h, sigs, salt, data, via, redaction: withheldBy } = parsed.data;
  if (decodedLength(h) > federationLimits.headerBytesMax) return 'too_large';
  if (decodedLength(data ?? '') > federationLimits.itemBytesMax) return 'too_large';
  if ((salt === null) !== (data === null)) return 'malformed';
  const header = Buffer.from(h, 'base64url');
  const claim = claimOf(header);
  const bytes = { salt: decoded(salt), data: decoded(data) };
  if (claim === undefined || (bytes.salt !== null && bytes.salt.length !== saltBytes)) return 'malformed';
  return { header, sigs, ...bytes, via, withheldBy, claim };
}

/** JSON.parse takes whatever is nested in 4 KiB; what it makes of repeated members is settled after the signature. */
function claimOf(header: Buffer): UnverifiedItem['claim'] | undefined {
  try {
    const { site, kid } = JSON.parse(header.toString('utf8')) as Record<string, unknown>;
    return { site: siteIdSchema.parse(site), kid: keyIdSchema.parse(kid) };
  } catch {
    return undefined;
  }
}

const decodedLength = (text: string) => Math.floor((text.length * 3) / 4);
const decoded = (text: string | null) => (text === null ? null : Buffer.from(text, 'base64url'));
