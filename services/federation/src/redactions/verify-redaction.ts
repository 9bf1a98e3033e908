import {
  feedHeaderSchema,
  feedHeaderType,
  federationLimits,
  type FeedHeader,
  type WireItem,
} from '@boardwire/contracts';
import { preAuthenticationEncoding, verifyAsync } from '@boardwire/signing';
import { parseCanonical } from '../feeds/parse-canonical.ts';
import type { SiteKeyring } from '../ingest/site-keyring.ts';
import type { Redaction } from './redaction-store.ts';
import { hasMarks, isSameEvent, mayRedact } from './redaction-rules.ts';

export interface RedactionProofOptions {
  keyring: SiteKeyring;
  /** The room's admins. */
  admins: readonly string[];
}

/**
 * The redaction that came with an item in place of its data, when it takes this very item's data, and whoever signed it may
 * do so. It need not have come in its own feed yet.
 */
export async function verifyRedaction(
  { h, sigs }: NonNullable<WireItem['redaction']>,
  item: FeedHeader,
  { keyring, admins }: RedactionProofOptions,
): Promise<Redaction | undefined> {
  const header = Buffer.from(h, 'base64url');
  if (header.length > federationLimits.headerBytesMax) return undefined;
  const content = parseCanonical(header, feedHeaderSchema);
  if (content?.redacts === undefined || !hasMarks(content) || content.room !== item.room) return undefined;
  const { redacts, site, kid } = content;
  if (!isSameEvent(redacts, { origin: item.site, source: item.source, id: item.id })) return undefined;
  if (!mayRedact(site, redacts, admins)) return undefined;
  const key = await keyring.eventKey(site, kid);
  const signed = sigs.find((one) => one.kid === kid);
  if (key === undefined || signed === undefined) return undefined;
  const message = preAuthenticationEncoding(feedHeaderType, header);
  if (!(await verifyAsync(key, message, Buffer.from(signed.sig, 'base64url')))) return undefined;
  return { redacts, by: site, header, sigs };
}
