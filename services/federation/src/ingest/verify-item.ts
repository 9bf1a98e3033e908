import { createHash } from 'node:crypto';
import { feedHeaderSchema, feedHeaderType, type FeedHeader } from '@boardwire/contracts';
import { preAuthenticationEncoding, verifyAsync } from '@boardwire/signing';
import { parseCanonical } from '../feeds/parse-canonical.ts';
import type { Redaction } from '../redactions/redaction-store.ts';
import { verifyRedaction } from '../redactions/verify-redaction.ts';
import type { Unverifiable } from './item-outcome.ts';
import { peekItem, type UnverifiedItem } from './peek-header.ts';
import type { SiteKeyring } from './site-keyring.ts';

/** An item whose header its site has signed for this room, and whose data, if it is there, is what was signed. */
export interface VerifiedItem extends Omit<UnverifiedItem, 'claim' | 'withheldBy'> {
  content: FeedHeader;
  hash: Buffer;
  /** Why its data is gone, where that was proven. */
  redaction: Redaction | undefined;
}

export interface VerifyOptions {
  room: string;
  carrier: string;
  keyring: SiteKeyring;
  /** The room's admins, who may redact whatever is said there. */
  admins?: readonly string[];
}

/** All that can be said of an item without the feed that it belongs to. Signatures are checked off the event loop. */
export async function verifyItem(
  item: unknown,
  { room, carrier, keyring, admins = [] }: VerifyOptions,
): Promise<VerifiedItem | Unverifiable> {
  const peeked = peekItem(item);
  if (typeof peeked === 'string') return peeked;
  const { claim, withheldBy, ...rest } = peeked;
  const key = await keyring.eventKey(claim.site, claim.kid);
  if (key === undefined) return 'unknown_key';
  const signed = rest.sigs.find(({ kid }) => kid === claim.kid);
  const message = preAuthenticationEncoding(feedHeaderType, rest.header);
  if (signed === undefined || !(await verifyAsync(key, message, Buffer.from(signed.sig, 'base64url'))))
    return 'signature';
  const content = parseCanonical(rest.header, feedHeaderSchema);
  // The strict reading has to say what the lenient one did: it is what the key was chosen by.
  if (content?.site !== claim.site || content.kid !== claim.kid) return 'malformed';
  if (content.room !== room) return 'room';
  const isWithheld = withheldBy !== undefined && rest.data === null;
  const redaction = isWithheld ? await verifyRedaction(withheldBy, content, { keyring, admins }) : undefined;
  const verified = { ...rest, content, redaction, hash: createHash('sha256').update(rest.header).digest() };
  return dataFault(verified, carrier) ?? verified;
}

function dataFault({ salt, data, content, redaction }: VerifiedItem, carrier: string): Unverifiable | undefined {
  if (salt === null || data === null) {
    const isBelieved = content.redacts === undefined && (carrier === content.site || redaction !== undefined);
    return isBelieved ? undefined : 'data_withheld';
  }
  const datahash = createHash('sha256').update(salt).update(data).digest('hex');
  return datahash === content.datahash && data.length === content.dsize ? undefined : 'datahash';
}
