import type { FeedHeader, WireItem } from '@boardwire/contracts';
import type { Database, Queryable } from '@boardwire/database';
import type { Logger } from '@boardwire/service-kit';
import type { Signature } from '../feeds/feed-items.ts';
import { peekItem } from '../ingest/peek-header.ts';
import type { SiteKeyring } from '../ingest/site-keyring.ts';
import { verifyItem, type VerifiedItem } from '../ingest/verify-item.ts';
import type { FederationMetrics } from '../metrics.ts';

export interface EvidenceBookOptions {
  database: Database;
  keyring: SiteKeyring;
  metrics: FederationMetrics;
  logger: Logger;
}

interface KeptRow {
  header: Buffer;
  sigs: Signature[];
  hash: Buffer;
}

/** Proof that a site says two things at one place, whoever brings it: kept, and the feed is frozen here. */
export class EvidenceBook {
  readonly #options: EvidenceBookOptions;

  constructor(options: EvidenceBookOptions) {
    this.#options = options;
  }

  /** @returns false when it proves nothing: not two headers of one place, both signed, in a feed that is known here */
  async take(room: string, items: readonly [WireItem, WireItem], carrier: string): Promise<boolean> {
    const [one, other] = await Promise.all(items.map((item) => this.#verified(item, room)));
    if (one === undefined || other === undefined || !isSamePlace(one.content, other.content)) return false;
    if (one.hash.equals(other.hash)) return false;
    const { site, epoch, oseq } = one.content;
    const { metrics, logger, database } = this.#options;
    const outcome = await database.transaction((transaction) => keep(transaction, { room, one, other, carrier }));
    if (outcome === 'new') {
      metrics.equivocated();
      logger.error({ event: 'feed.equivocation', room, site, epoch, oseq, carrier });
    }
    return outcome !== 'unknown_feed';
  }

  /** By its header alone: its data proves nothing, and need not be there. */
  async #verified(item: WireItem, room: string): Promise<VerifiedItem | undefined> {
    const header = withoutData(item);
    const peeked = peekItem(header);
    if (typeof peeked === 'string') return undefined;
    const { keyring } = this.#options;
    const verified = await verifyItem(header, { room, carrier: peeked.claim.site, keyring });
    return typeof verified === 'string' ? undefined : verified;
  }
}

interface Proof {
  room: string;
  one: VerifiedItem;
  other: VerifiedItem;
  carrier: string;
}

async function keep(
  transaction: Queryable,
  { room, one, other, carrier }: Proof,
): Promise<'new' | 'known' | 'unknown_feed'> {
  const { site, epoch, oseq } = one.content;
  const place = [room, site, epoch];
  const feeds = await transaction.query(
    `UPDATE feed SET state = 'frozen' WHERE room = $1 AND site = $2 AND epoch = $3 RETURNING n`,
    place,
  );
  if (feeds.length === 0) return 'unknown_feed';
  const [here] = await transaction.query<KeptRow>(keptHere, [...place, oseq]);
  const kept = here ?? [one, other].toSorted((left, right) => left.hash.compare(right.hash))[0]!;
  let isNew = false;
  for (const item of [one, other].filter(({ hash }) => !hash.equals(kept.hash))) {
    // oxlint-disable-next-line no-await-in-loop -- two at most
    const rows = await transaction.query(insertEvidence, [
      ...place,
      oseq,
      kept.header,
      JSON.stringify(kept.sigs),
      item.hash,
      item.header,
      JSON.stringify(item.sigs),
      carrier,
    ]);
    isNew ||= rows.length > 0;
  }
  return isNew ? 'new' : 'known';
}

const keptHere = `
  SELECT header, sigs, hash FROM feed_item WHERE room = $1 AND site = $2 AND epoch = $3 AND oseq = $4
  UNION ALL SELECT header, sigs, hash FROM feed_hole WHERE room = $1 AND site = $2 AND epoch = $3 AND oseq = $4`;

const insertEvidence = `
  INSERT INTO evidence (room, site, epoch, oseq, kept_header, kept_sigs, other_hash, other_header, other_sigs, carrier)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING oseq`;

function isSamePlace(one: FeedHeader, other: FeedHeader): boolean {
  return one.site === other.site && one.epoch === other.epoch && one.oseq === other.oseq;
}

const withoutData = (item: WireItem): WireItem => ({ ...item, salt: null, data: null });

/** What was kept of an item: its header and signatures, which is all that evidence needs. */
export function headerItem(site: string, header: Buffer, sigs: Signature[]): WireItem {
  return { h: header.toString('base64url'), sigs, salt: null, data: null, via: [site] };
}
