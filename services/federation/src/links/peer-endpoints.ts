import type { SignedSiteDocument } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import { endpointsIn } from '../site-documents/endpoints-in.ts';

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
    for (const { site, ver, envelope } of rows)
      this.#known.set(site, { ver, endpoints: endpointsIn(JSON.parse(envelope) as SignedSiteDocument) });
  }

  of(site: string): readonly string[] {
    return this.#known.get(site)?.endpoints ?? [];
  }
}
