import { siteDocumentSchema, type SignedSiteDocument } from '@boardwire/contracts';

/** As many as an invitation may name: whoever lists thousands must not keep us dialling. */
const endpointsMax = 8;

/** Where a site says that it can be dialled; its document was verified before it was stored. */
export function endpointsIn({ payload }: SignedSiteDocument): readonly string[] {
  return siteDocumentSchema
    .parse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
    .endpoints.slice(0, endpointsMax);
}
