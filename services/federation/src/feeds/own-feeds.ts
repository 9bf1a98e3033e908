import { createHash } from 'node:crypto';
import { feedHeaderType, federationLimits, type RangePage, type SubjectRule } from '@boardwire/contracts';
import type { Database, Queryable } from '@boardwire/database';
import type { FollowedEvent } from '@boardwire/follower';
import type { Logger } from '@boardwire/service-kit';
import { canonicalBytes, preAuthenticationEncoding } from '@boardwire/signing';
import { FederationMarks } from '../following/mark-store.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import type { FederationMetrics } from '../metrics.ts';
import { crossingOf, keepOwnRedactions } from '../redactions/own-redaction.ts';
import { isShared } from '../rooms/room-scope.ts';
import { eventKey, insertItems, knownEvents, type FeedItem } from './feed-items.ts';
import type { Growth } from './growth.ts';
import { localEvent, type LocalEvent } from './header-of-event.ts';
import { holdPlace, lockOwnFeed, ownFeed, storeGrowth, type OwnFeed } from './own-feed-store.ts';
import { SignedPlaces } from './signed-places.ts';

/** Steps at which a test may stop the world. In a running service nobody listens. */
export type FeedStep = 'appended' | 'committed';

/** A board's log with the salts of its events, both ends included; as many as fit a page. */
export type SaltedRange = (board: string, span: { from: number; to: number }) => Promise<RangePage>;

export interface OwnFeedsOptions {
  database: Database;
  identity: SiteIdentity;
  range: SaltedRange;
  rulesOf: (board: string) => readonly SubjectRule[];
  growth: Growth;
  metrics: FederationMetrics;
  logger: Logger;
  /** Whether it is known how far the room's own feed has gone: before that nothing is signed for it. */
  mayGrow?: (room: string) => boolean;
  /** The database has forgotten what was signed for this room: from now on its feed may not grow. */
  onPutBack?: (room: string) => void;
  probe?: ((step: FeedStep) => void) | undefined;
}

/**
 * Writes this site's feeds. What a board's log brings is read once more, with salts, from behind the place up to which
 * the feed has it, and goes in together with that place and the follower's mark: after a crash at any point the same
 * events come again and find the feed either before or after them. Of two replicas the second waits at the feed's row
 * and finds the place moved on.
 */
export class OwnFeeds {
  readonly #options: OwnFeedsOptions;
  readonly #shared = new Set<string>();
  readonly #signed = new SignedPlaces();

  constructor(options: OwnFeedsOptions) {
    this.#options = options;
  }

  /** Events of one board in seq order. Resolves when they are in the feed, as far as they belong there, and marked. */
  async take(board: string, events: readonly FollowedEvent[]): Promise<void> {
    const last = events.at(-1);
    if (last === undefined) return;
    const { database, identity } = this.#options;
    const end = { board, epoch: last.epoch, seq: last.seq };
    const feed = await ownFeed(database, board, identity.siteId);
    if (feed === undefined) this.#shared.delete(board);
    else this.#shared.add(board);
    // Without a feed, or with one that waits, the log goes on: a feed keeps its own place and catches up from there.
    if (feed === undefined || feed.state === 'frozen') return this.#mark(database, end);
    const first = events.find(({ epoch }) => epoch === last.epoch)!.seq;
    if (this.#signed.isBehind(feed)) this.#options.onPutBack?.(feed.room);
    if (this.#options.mayGrow?.(feed.room) === false) return this.#hold(feed, { first, end });
    const from = feed.boardEpoch === last.epoch ? feed.boardSeq! : first - 1;
    if (from >= first - 1 && !events.some((event) => this.#mayBeShared(feed, event))) return this.#pass(feed, end);
    await this.#catchUp(feed, { from, end });
  }

  /** Whether a board was shared when it last got an event. */
  isShared(board: string): boolean {
    return this.#shared.has(board);
  }

  /** Brings what passed by while the feed had to wait. */
  async resume(board: string): Promise<void> {
    const { database, identity } = this.#options;
    const feed = await ownFeed(database, board, identity.siteId);
    if (feed === undefined || feed.state === 'frozen' || feed.boardEpoch === null) return;
    const seq = await new FederationMarks(database).load(board, feed.boardEpoch);
    if (seq === undefined || seq <= feed.boardSeq!) return;
    await this.#catchUp(feed, { from: feed.boardSeq!, end: { board, epoch: feed.boardEpoch, seq } });
  }

  /** The log goes on without the feed, which remembers where it stopped. */
  async #hold(feed: OwnFeed, { first, end }: { first: number; end: End }): Promise<void> {
    const { database } = this.#options;
    if (feed.boardEpoch !== end.epoch) await holdPlace(database, feed, { epoch: end.epoch, seq: first - 1 });
    await this.#mark(database, end);
  }

  async #catchUp(feed: OwnFeed, { from, end }: { from: number; end: End }): Promise<void> {
    const { database, probe, growth } = this.#options;
    for (let place = from; place < end.seq;) {
      // oxlint-disable-next-line no-await-in-loop -- a page after the other
      const page = await this.#options.range(feed.board, { from: place + 1, to: end.seq });
      const reached = page.items.at(-1)?.seq;
      if (page.epoch !== end.epoch || reached === undefined) throw new Error(`${feed.board}: the log is another one`);
      const events = this.#eventsOf(feed, page);
      // oxlint-disable-next-line no-await-in-loop
      const added = await database.transaction(async (transaction) => {
        const appended = await this.#append(transaction, feed, { events, at: { epoch: end.epoch, seq: reached } });
        probe?.('appended');
        await this.#mark(transaction, { ...end, seq: reached });
        return appended;
      });
      probe?.('committed');
      this.#signed.add(feed, added.n);
      this.#options.metrics.items('out', 'accepted', added.count);
      if (added.count > 0) growth.grown(feed.room);
      place = reached;
    }
    await this.#mark(database, end);
  }

  #eventsOf(feed: OwnFeed, page: RangePage): LocalEvent[] {
    const rules = this.#options.rulesOf(feed.board);
    return page.items
      .filter(({ subject, class: eventClass }) => eventClass !== 'ephemeral' && isShared(feed, subject, rules))
      .flatMap((item) => localEvent(item, feed.site) ?? []);
  }

  async #append(
    transaction: Queryable,
    place: OwnFeed,
    { events, at }: { events: readonly LocalEvent[]; at: { epoch: string; seq: number } },
  ): Promise<{ count: number; n: number }> {
    const feed = await lockOwnFeed(transaction, place);
    if (this.#signed.isBehind(feed)) throw new Error(`${feed.board}: its feed was put back to an earlier state`);
    if (feed.state === 'frozen') return { count: 0, n: feed.n };
    const taken = feed.boardEpoch === at.epoch ? feed.boardSeq! : 0;
    if (taken >= at.seq) return { count: 0, n: feed.n };
    const known = await knownEvents(transaction, feed, events);
    const fresh = events.filter((event) => event.boardSeq > taken && !known.has(eventKey(event)));
    const crossing = await crossingOf(transaction, feed, fresh);
    const items = this.#chain(feed, crossing);
    await insertItems(transaction, feed, items);
    await keepOwnRedactions(transaction, feed, { events: crossing, items });
    const { n, hash } = { n: items.at(-1)?.oseq ?? feed.n, hash: items.at(-1)?.hash ?? feed.hash };
    await storeGrowth(transaction, feed, { n, hash, kid: this.#options.identity.keys.event.keyId, at });
    return { count: items.length, n };
  }

  /** The headers behind the feed's last one, each linked to the one before. */
  #chain(feed: OwnFeed, events: readonly LocalEvent[]): FeedItem[] {
    const items: FeedItem[] = [];
    for (const event of events) {
      const before = items.at(-1) ?? { oseq: feed.n, hash: feed.hash };
      const item = this.#itemAfter(feed, before, event);
      if (item.header.length <= federationLimits.headerBytesMax) items.push(item);
      else this.#tooLarge(feed, event);
    }
    return items;
  }

  #itemAfter(feed: OwnFeed, before: Pick<FeedItem, 'oseq' | 'hash'>, event: LocalEvent): FeedItem {
    const { keyId: kid, key } = this.#options.identity.keys.event;
    const { room, site, epoch } = feed;
    const { attributes, salt, data, source, id, boardSeq } = event;
    const oseq = before.oseq + 1;
    const prev = before.hash.toString('hex');
    const header = canonicalBytes({ v: 1, room, site, epoch, oseq, prev, kid, ...attributes });
    const sig = key.sign(preAuthenticationEncoding(feedHeaderType, header)).toString('base64url');
    const hash = createHash('sha256').update(header).digest();
    const dsize = data.length;
    return {
      oseq,
      hash,
      header,
      sigs: [{ kid, sig }],
      salt,
      data,
      dsize,
      via: [site],
      source,
      id,
      isRepeat: false,
      boardSeq,
    };
  }

  /** Its extension attributes are more than a header may hold: it stays on this site. */
  #tooLarge({ board, room }: OwnFeed, { boardSeq }: LocalEvent): void {
    this.#options.metrics.items('out', 'too_large', 1);
    this.#options.logger.warn({ event: 'feed.header_too_large', board, room, seq: boardSeq });
  }

  /** Only looks at what can be seen without parsing: a false alarm costs a read of the log, nothing else. */
  #mayBeShared(feed: OwnFeed, { subject, bytes }: FollowedEvent): boolean {
    return isShared(feed, subject, this.#options.rulesOf(feed.board)) && bytes.includes(`"origin":"${feed.site}"`);
  }

  #pass(feed: OwnFeed, end: End): Promise<void> {
    return this.#options.database.transaction(async (transaction) => {
      await this.#append(transaction, feed, { events: [], at: end });
      await this.#mark(transaction, end);
    });
  }

  #mark(database: Queryable, { board, epoch, seq }: End): Promise<void> {
    return new FederationMarks(database).advance(board, epoch, seq);
  }
}

interface End {
  board: string;
  epoch: string;
  seq: number;
}
