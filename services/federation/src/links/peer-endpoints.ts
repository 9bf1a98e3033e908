import { siteDocumentSchema, type SignedSiteDocument } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';

/** As many as an invitation may name: whoever lists thousands must not keep us dialling. */
const endpointsMax = 8;

/** Where other sites say that they can be dialled, by the newest document of each; read again when that has changed. */
export class PeerEndpoints {
  readonly #known = new Map<string, { ver: number; endpoints: readonly string[] }>();

  constructor(private readonly database: Queryable) {}

  async refresh(): Promise<void> {
    const versions = await this.database.query<{ site: string; ver: number }>('SELECT site, ver FROM foreign_site');
    const changed = versions.filter(({ site, ver }) => this.#known.get(site)?.ver !== ver).map(({ site }) => site);
    if (changed.length === 0) return;
    const rows = await this.database.query<{ site: string; ver: number; envelope: string }>(
      'SELECT site, ver, envelope FROM foreign_site WHERE site = ANY ($1)',
      [changed],
    );
    for (const { site, ver, envelope } of rows) this.#known.set(site, { ver, endpoints: endpointsIn(envelope) });
  }

  of(site: string): readonly string[] {
    return this.#known.get(site)?.endpoints ?? [];
  }
}

/** It was verified before it was stored. */
function endpointsIn(envelope: string): readonly string[] {
  const { payload } = JSON.parse(envelope) as SignedSiteDocument;
  return siteDocumentSchema
    .parse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
    .endpoints.slice(0, endpointsMax);
}
