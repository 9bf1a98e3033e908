import { siteDocumentSchema, type SignedSiteDocument, type SiteDocument } from '@boardwire/contracts';
import { canonicalBytes, importVerifyingKey, verifyEnvelope } from '@boardwire/signing';
import { siteDocumentType } from './site-document.ts';
import { keyIdOf, siteIdOf } from './site-id.ts';

/**
 * The document inside an envelope, when it proves itself: its root key hashes to its site id, that key signed it, the
 * bytes are canonical and every key id fits its key. Undefined otherwise. Whether it is the *right* site is for the
 * caller to compare, and whether `ver` has risen too.
 */
export function verifySiteDocument(envelope: SignedSiteDocument): SiteDocument | undefined {
  const payload = Buffer.from(envelope.payload, 'base64url');
  const document = parsed(payload);
  if (document === undefined) return undefined;
  const roots = document.keys.filter(({ use }) => use === 'root');
  const rootKey = Buffer.from(roots[0]?.public ?? '', 'base64url');
  if (roots.length !== 1 || rootKey.length !== 32 || siteIdOf(rootKey) !== document.site) return undefined;
  if (verifyEnvelope(envelope, siteDocumentType, importVerifyingKey(rootKey)) === undefined) return undefined;
  return document.keys.every(hasOwnId) ? document : undefined;
}

function parsed(payload: Buffer): SiteDocument | undefined {
  try {
    const json: unknown = JSON.parse(payload.toString('utf8'));
    // Other bytes for the same content would be a second document that the same words describe.
    return canonicalBytes(json).equals(payload) ? siteDocumentSchema.safeParse(json).data : undefined;
  } catch {
    return undefined;
  }
}

function hasOwnId({ kid, use, public: publicKey }: SiteDocument['keys'][number]): boolean {
  const bytes = Buffer.from(publicKey, 'base64url');
  return bytes.length === 32 && bytes.toString('base64url') === publicKey && keyIdOf(use, bytes) === kid;
}
