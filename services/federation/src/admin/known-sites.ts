import { siteDocumentSchema, type SignedSiteDocument, type SiteDocument } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import type { SiteIdentity } from '../identity/site-identity.ts';

/** What sites say of themselves, this one among them. */
export class KnownSites {
  constructor(
    private readonly database: Queryable,
    private readonly identity: SiteIdentity,
  ) {}

  get own(): SiteDocument {
    return contentOf(this.identity.document);
  }

  /** Those of which a document is kept; they were verified when they came. */
  async documents(): Promise<Map<string, SiteDocument>> {
    const rows = await this.database.query<{ envelope: string }>('SELECT envelope FROM foreign_site');
    const documents = rows.map(({ envelope }) => contentOf(JSON.parse(envelope) as SignedSiteDocument));
    return new Map([this.own, ...documents].map((document) => [document.site, document]));
  }
}

function contentOf({ payload }: SignedSiteDocument): SiteDocument {
  return siteDocumentSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
}
