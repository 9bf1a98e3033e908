import type { Queryable } from '@boardwire/database';
import { insertItems, knownEvents, type FeedPlace } from '../feeds/feed-items.ts';
import { keepRedactions } from '../redactions/redaction-store.ts';
import type { Evidence, FeedState, FeedTaking, Hole, TakenPlace } from './feed-taking.ts';
import type { VerifiedItem } from './verify-item.ts';

/** Locks a feed's row until the transaction ends, and reads what the items at hand are measured against. */
export async function lockFeed(
  transaction: Queryable,
  feed: FeedPlace,
  items: readonly VerifiedItem[],
): Promise<FeedState | undefined> {
  const { room, site, epoch } = feed;
  const [row] = await transaction.query<Pick<FeedState, 'n' | 'hash' | 'state' | 'nMax'>>(lockedFeed, [
    room,
    site,
    epoch,
  ]);
  if (row === undefined) return undefined;
  const contents = items.map(({ content }) => content);
  const taken = await takenPlaces(
    transaction,
    feed,
    contents.map(({ oseq }) => oseq).filter((oseq) => oseq <= row.n),
  );
  return { ...row, taken, events: await knownEvents(transaction, feed, contents) };
}

/** Of a removed member's feed no more is taken than its removal names: epochs before that one whole, later ones not at all. */
const lockedFeed = `
  SELECT feed.n, feed.hash, feed.state,
    CASE WHEN gone.site IS NULL OR feed.ordinal < last.ordinal THEN NULL
         WHEN feed.epoch = gone.up_to_epoch THEN gone.up_to_n ELSE 0 END AS "nMax"
  FROM feed
    LEFT JOIN room_member gone ON gone.room = feed.room AND gone.site = feed.site AND NOT gone.is_member
    LEFT JOIN feed last ON last.room = feed.room AND last.site = feed.site AND last.epoch = gone.up_to_epoch
  WHERE feed.room = $1 AND feed.site = $2 AND feed.epoch = $3 FOR UPDATE OF feed`;

async function takenPlaces(
  transaction: Queryable,
  { room, site, epoch }: FeedPlace,
  oseqs: readonly number[],
): Promise<Map<number, TakenPlace>> {
  if (oseqs.length === 0) return new Map();
  const rows = await transaction.query<TakenPlace & { oseq: number }>(
    `SELECT oseq, hash, header, sigs FROM feed_item WHERE room = $1 AND site = $2 AND epoch = $3 AND oseq = ANY ($4)
     UNION ALL
     SELECT oseq, hash, header, sigs FROM feed_hole WHERE room = $1 AND site = $2 AND epoch = $3 AND oseq = ANY ($4)`,
    [room, site, epoch, oseqs],
  );
  return new Map(rows.map(({ oseq, ...place }) => [oseq, place]));
}

/**
 * Everything a taking gathered: items, holes, evidence, what is to be handed over to the board, if there is one, and the
 * feed's new state.
 */
export async function storeTaking(
  transaction: Queryable,
  feed: FeedPlace,
  taking: FeedTaking,
  { board, carrier }: { board: string | undefined; carrier: string },
): Promise<void> {
  const { items, holes, evidence, redactions, n, hash, isFrozen, kid } = taking;
  await insertItems(transaction, feed, items);
  await insertHoles(transaction, feed, holes);
  await insertEvidence(transaction, feed, { evidence, carrier });
  await keepRedactions(transaction, feed.room, redactions);
  const handed = items.filter(({ data, isRepeat }) => data !== null && !isRepeat).map(({ oseq }) => oseq);
  const { room, site, epoch } = feed;
  if (handed.length > 0 && board !== undefined) {
    await transaction.query(
      `INSERT INTO handover (board, room, site, epoch, oseq)
       SELECT $1, $2, $3, $4, oseq FROM unnest($5::bigint[]) WITH ORDINALITY AS o (oseq, place) ORDER BY place`,
      [board, room, site, epoch, handed],
    );
  }
  if (kid === undefined && !isFrozen) return;
  await transaction.query(
    `UPDATE feed SET n = $4, hash = $5, state = $6, kid = coalesce($7, kid),
       grown_at = CASE WHEN $4 > n THEN now() ELSE grown_at END WHERE room = $1 AND site = $2 AND epoch = $3`,
    [room, site, epoch, n, hash, isFrozen ? 'frozen' : 'open', kid ?? null],
  );
}

async function insertHoles(transaction: Queryable, feed: FeedPlace, holes: readonly Hole[]): Promise<void> {
  const { room, site, epoch } = feed;
  for (const { oseq, hash, header, sigs, reason } of holes) {
    // oxlint-disable-next-line no-await-in-loop -- seldom any
    await transaction.query(
      `INSERT INTO feed_hole (room, site, epoch, oseq, hash, header, sigs, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [room, site, epoch, oseq, hash, header, JSON.stringify(sigs), reason],
    );
  }
}

async function insertEvidence(
  transaction: Queryable,
  { room, site, epoch }: FeedPlace,
  { evidence, carrier }: { evidence: readonly Evidence[]; carrier: string },
): Promise<void> {
  for (const { oseq, kept, other } of evidence) {
    // oxlint-disable-next-line no-await-in-loop -- one at most: the feed is frozen then
    await transaction.query(
      `INSERT INTO evidence (room, site, epoch, oseq, kept_header, kept_sigs, other_hash, other_header, other_sigs, carrier)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
      [
        room,
        site,
        epoch,
        oseq,
        kept.header,
        JSON.stringify(kept.sigs),
        other.hash,
        other.header,
        JSON.stringify(other.sigs),
        carrier,
      ],
    );
  }
}
