import { signedSiteDocumentSchema, type SignedSiteDocument, type SiteDocument } from '@boardwire/contracts';
import { canonicalBytes, signEnvelope } from '@boardwire/signing';
import { siteIdOf } from './site-id.ts';
import type { SiteKeys } from './site-keys.ts';

export const siteDocumentType = 'application/vnd.boardwire.site+json';
/** What this build speaks. */
const protocols = ['boardwire-site/1', 'boardwire-fed/1'];

/** The document without what every new version has anew. */
export type SiteDocumentContent = Omit<SiteDocument, 'ver' | 'issued'>;

export interface SiteDescription {
  name: string;
  endpoints: readonly string[];
}

/** What the site says of itself. */
export function documentContent(keys: SiteKeys, { name, endpoints }: SiteDescription): SiteDocumentContent {
  return {
    site: siteIdOf(keys.root.key.publicKey),
    name,
    protocols,
    endpoints: [...endpoints],
    keys: Object.values(keys).map(({ keyId, use, key }) => ({
      kid: keyId,
      use,
      alg: 'ed25519' as const,
      public: key.publicKey.toString('base64url'),
    })),
  };
}

/** Signs a version of the document with the root key (DSSE over its RFC 8785 bytes). */
export function signDocument(document: SiteDocument, { root }: SiteKeys): SignedSiteDocument {
  const envelope = signEnvelope(siteDocumentType, canonicalBytes(document), [{ keyid: root.keyId, key: root.key }]);
  return signedSiteDocumentSchema.parse(envelope);
}
