import { signedSiteDocumentSchema, type SignedSiteDocument, type SiteDocument } from '@boardwire/contracts';
import { canonicalBytes, signEnvelope } from '@boardwire/signing';
import { siteIdOf } from './site-id.ts';
import type { NamedKey, SiteKeys } from './site-keys.ts';

export const siteDocumentType = 'application/vnd.boardwire.site+json';
/** What this build speaks. */
const protocols = ['boardwire-site/1', 'boardwire-fed/1'];

/** The document without what every new version has anew. */
export type SiteDocumentContent = Omit<SiteDocument, 'ver' | 'issued'>;

export interface SiteDescription {
  name: string;
  endpoints: readonly string[];
}

/** What the site says of itself. @param keys with the root key, which its id follows from */
export function documentContent(keys: readonly NamedKey[], { name, endpoints }: SiteDescription): SiteDocumentContent {
  const root = keys.find(({ use }) => use === 'root')!;
  return {
    site: siteIdOf(root.publicKey),
    name,
    protocols,
    endpoints: [...endpoints],
    keys: documentKeys(keys),
  };
}

export function documentKeys(keys: readonly NamedKey[]): SiteDocument['keys'] {
  return keys.map(({ keyId, use, publicKey }) => ({
    kid: keyId,
    use,
    alg: 'ed25519' as const,
    public: publicKey.toString('base64url'),
  }));
}

/** Signs a version of the document with the root key (DSSE over its RFC 8785 bytes). */
export function signDocument(document: SiteDocument, { root }: SiteKeys): SignedSiteDocument {
  const envelope = signEnvelope(siteDocumentType, canonicalBytes(document), [{ keyid: root.keyId, key: root.key }]);
  return signedSiteDocumentSchema.parse(envelope);
}
