import type { SignedSiteDocument, SiteDocument } from '@boardwire/contracts';
import type { Database, Queryable } from '@boardwire/database';

/** What became of a document that proved itself. */
export type StoreOutcome = 'stored' | 'unchanged' | 'older' | 'conflicting';

export interface ForeignKey {
  kid: string;
  use: 'root' | 'hop' | 'event' | 'checkpoint';
  public: Buffer;
  /** The newest document names it. */
  isInForce: boolean;
}

/** The documents and keys of other sites. */
export class ForeignSiteStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Takes the document if its version is above the one known: an old one would bring back keys that were given up. */
  put(document: SiteDocument, envelope: SignedSiteDocument): Promise<StoreOutcome> {
    return this.#database.transaction(async (transaction) => {
      const { site, ver } = document;
      const taken = await transaction.query(
        `INSERT INTO foreign_site (site, ver, envelope) VALUES ($1, $2, $3)
         ON CONFLICT (site) DO UPDATE SET ver = excluded.ver, envelope = excluded.envelope, changed_at = now()
           WHERE foreign_site.ver < excluded.ver
         RETURNING 1`,
        [site, ver, JSON.stringify(envelope)],
      );
      if (taken.length === 0) return compared(transaction, document, envelope);
      await putKeys(transaction, document);
      return 'stored';
    });
  }

  async keys(site: string): Promise<ForeignKey[]> {
    return this.#database.query<ForeignKey>(
      `SELECT kid, use, public, last_ver = ver AS "isInForce"
       FROM foreign_site_key JOIN foreign_site USING (site) WHERE site = $1`,
      [site],
    );
  }

  async envelope(site: string): Promise<SignedSiteDocument | undefined> {
    const rows = await this.#database.query<{ envelope: string }>('SELECT envelope FROM foreign_site WHERE site = $1', [
      site,
    ]);
    return rows[0] === undefined ? undefined : (JSON.parse(rows[0].envelope) as SignedSiteDocument);
  }
}

async function compared(transaction: Queryable, { site, ver }: SiteDocument, envelope: SignedSiteDocument) {
  const rows = await transaction.query<{ ver: number; envelope: string }>(
    'SELECT ver, envelope FROM foreign_site WHERE site = $1',
    [site],
  );
  const known = rows[0];
  if (known === undefined || known.ver > ver) return 'older';
  // Ed25519 signs the same bytes the same way, but an envelope may carry more signatures: the payload decides.
  const { payload } = JSON.parse(known.envelope) as SignedSiteDocument;
  return payload === envelope.payload ? 'unchanged' : 'conflicting';
}

async function putKeys(transaction: Queryable, { site, ver, keys }: SiteDocument): Promise<void> {
  await transaction.query(
    `INSERT INTO foreign_site_key (site, kid, use, public, last_ver)
     SELECT DISTINCT ON (kid) $1, kid, use, public, $2::bigint
     FROM unnest($3::text[], $4::text[], $5::bytea[]) AS named (kid, use, public)
     ON CONFLICT (site, kid) DO UPDATE SET last_ver = excluded.last_ver`,
    [
      site,
      ver,
      keys.map(({ kid }) => kid),
      keys.map(({ use }) => use),
      keys.map((key) => Buffer.from(key.public, 'base64url')),
    ],
  );
}
