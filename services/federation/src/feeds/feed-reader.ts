import { federationLimits, feedHeadType, type FeedHead, type FeedVector, type WireItem } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { canonicalBytes, signEnvelope, type Envelope } from '@boardwire/signing';
import type { SiteIdentity } from '../identity/site-identity.ts';
import type { FeedItem } from './feed-items.ts';
import type { Growth } from './growth.ts';

type Row = Pick<FeedItem, 'oseq' | 'header' | 'sigs' | 'salt' | 'data' | 'via'> & {
  /** Why its data is gone. */
  redaction: Buffer | null;
  redactionSigs: FeedItem['sigs'] | null;
};

/** What peers get to see of the feeds. */
export class FeedReader {
  readonly #database: Database;
  readonly #identity: SiteIdentity;
  readonly #growth: Growth;

  constructor(database: Database, identity: SiteIdentity, growth: Growth) {
    this.#database = database;
    this.#identity = identity;
    this.#growth = growth;
  }

  /**
   * Items from oseq `from` on without a hole, so none when this site doesn't keep that one; about 1 MiB at most. What was
   * removed here alone isn't kept: nobody would believe it of this site.
   */
  async page(
    room: string,
    site: string,
    epoch: string,
    { from, limit }: { from: number; limit: number },
  ): Promise<WireItem[]> {
    const rows = await this.#database.query<Row>(pageSql, [
      room,
      site,
      epoch,
      from,
      Math.min(limit, federationLimits.batchItemsMax),
      federationLimits.batchBytesMax,
    ]);
    const dense = rows.filter(({ oseq }, at) => oseq === from + at);
    const end = site === this.#identity.siteId ? -1 : dense.findIndex(isUnproven);
    return (end === -1 ? dense : dense.slice(0, end)).map((row) => this.#wireItem(row, site));
  }

  /** How far every feed of a room is known here; only its own site's word is signed, see `signedHead`. */
  heads(room: string): Promise<FeedHead[]> {
    return this.#database.query<FeedHead>(
      `SELECT DISTINCT ON (site) 1 AS v, room, site, epoch, n, encode(hash, 'hex') AS hash,
         to_char(grown_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at, kid
       FROM feed WHERE room = $1 AND n > 0 ORDER BY site, ordinal DESC`,
      [room],
    );
  }

  /** This site's word of how far its own feed reaches, as of now; undefined while it is empty. */
  async signedHead(room: string): Promise<Envelope | undefined> {
    const { siteId, keys } = this.#identity;
    const own = (await this.heads(room)).find(({ site }) => site === siteId);
    if (own === undefined) return undefined;
    const { keyId: kid, key } = keys.event;
    const head = { ...own, at: new Date().toISOString(), kid };
    return signEnvelope(feedHeadType, canonicalBytes(head), [{ keyid: kid, key }]);
  }

  /** By site, its newest epoch. */
  vector(room: string): Promise<FeedVector> {
    return readVector(this.#database, room);
  }

  /** The signed records that opened a room's feeds, the oldest of each site first. */
  async epochs(room: string): Promise<Envelope[]> {
    const rows = await this.#database.query<{ record: Envelope }>(
      'SELECT record FROM feed WHERE room = $1 ORDER BY site, ordinal',
      [room],
    );
    return rows.map(({ record }) => record);
  }

  /** Feeds that grow by this process; another replica's work shows in `vector`. */
  onGrown(listener: (room: string) => void): () => void {
    return this.#growth.onGrown(listener);
  }

  #wireItem({ header, sigs, salt, data, via, redaction, redactionSigs }: Row, site: string): WireItem {
    const own = this.#identity.siteId;
    const isGone = redaction !== null;
    return {
      h: header.toString('base64url'),
      sigs: [...sigs],
      salt: (isGone ? undefined : salt?.toString('base64url')) ?? null,
      data: (isGone ? undefined : data?.toString('base64url')) ?? null,
      via: site === own ? [own] : [...via, own],
      ...(isGone ? { redaction: { h: redaction.toString('base64url'), sigs: [...redactionSigs!] } } : {}),
    };
  }
}

export async function readVector(database: Pick<Database, 'query'>, room: string): Promise<FeedVector> {
  const rows = await database.query<{ site: string; epoch: string; n: number; hash: string }>(
    `SELECT DISTINCT ON (site) site, epoch, n, encode(hash, 'hex') AS hash FROM feed WHERE room = $1
     ORDER BY site, ordinal DESC`,
    [room],
  );
  return Object.fromEntries(
    rows.map(({ site, epoch, n, hash }) => [site, n === 0 ? { epoch, n } : { epoch, n, hash }]),
  );
}

const isUnproven = ({ data, redaction }: Row) => data === null && redaction === null;

/** The first one comes whatever its size. What was redacted comes without data, whether that has been erased already or not. */
const pageSql = `
  SELECT oseq, counted.header, counted.sigs, salt, data, via, r.header AS redaction, r.sigs AS "redactionSigs" FROM (
    SELECT *, sum(octet_length(header) + coalesce(octet_length(data), 0)) OVER (ORDER BY oseq) AS bytes
    FROM (SELECT * FROM feed_item WHERE room = $1 AND site = $2 AND epoch = $3 AND oseq >= $4 ORDER BY oseq LIMIT $5) AS next
  ) AS counted LEFT JOIN redaction r USING (room, site, source, id)
  WHERE bytes <= $6 OR oseq = $4 ORDER BY oseq`;
