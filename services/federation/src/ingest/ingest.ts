import { federationLimits, type FeedVector, type WireItem } from '@boardwire/contracts';
import type { Database, DecisionOutbox, Queryable } from '@boardwire/database';
import { AppError, type Logger } from '@boardwire/service-kit';
import type { FeedPlace } from '../feeds/feed-items.ts';
import { readVector } from '../feeds/feed-reader.ts';
import type { Growth } from '../feeds/growth.ts';
import type { FederationMetrics } from '../metrics.ts';
import { genesisIn } from '../rooms/room-genesis.ts';
import { noteRefusedRedactions as noteRefused } from '../redactions/note-refused.ts';
import { RoomStore, type Room } from '../rooms/room-store.ts';
import { FeedTaking } from './feed-taking.ts';
import type { ItemOutcome } from './item-outcome.ts';
import type { RoomLaw } from './refusal-of.ts';
import type { SiteKeyring } from './site-keyring.ts';
import { lockFeed, storeTaking } from './taking-store.ts';
import { verifyItem, type VerifiedItem } from './verify-item.ts';

export type { ItemOutcome } from './item-outcome.ts';

export interface IngestOptions {
  database: Database;
  siteId: string;
  keyring: SiteKeyring;
  growth: Growth;
  metrics: FederationMetrics;
  logger: Logger;
  /** Where it is written down that a site has redacted what it may not. */
  decisions?: DecisionOutbox | undefined;
  /** Something waits to be handed over. */
  onAccepted: () => void;
}

/** An item with its place in the answer. */
interface Candidate {
  at: number;
  item: VerifiedItem;
}

/** A batch of which is known what its items prove by themselves. */
export interface CheckedBatch {
  room: string;
  carrier: string;
  items: readonly WireItem[];
  candidates: readonly Candidate[];
  /** Of the items that prove nothing; the other places are empty. */
  outcomes: readonly ItemOutcome[];
}

/**
 * Takes items of other sites' feeds, whoever carries them. A bad one never fails its batch: each gets an outcome of its
 * own. What is accepted of a batch is stored by one transaction, feed by feed in one order for all, so that two carriers
 * of the same feeds wait for each other and never in a circle.
 */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #rooms: RoomStore;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#rooms = new RoomStore(options.database);
  }

  /**
   * One outcome for each item, in the items' order.
   * @param carrier the site that brought them, as its hop signature proves
   * @throws AppError `not_found` for a room this site has no part in, `too_large` for more items than a batch may have
   */
  async take(room: string, items: readonly WireItem[], { carrier }: { carrier: string }): Promise<ItemOutcome[]> {
    return this.store(await this.check(room, items, { carrier }));
  }

  /**
   * The half of {@link take} that changes nothing, so that it can be done while the batch before is being stored: caps,
   * keys, signatures, hashes of the data. What an item's place in its feed asks for is left to {@link store}.
   */
  async check(room: string, items: readonly WireItem[], { carrier }: { carrier: string }): Promise<CheckedBatch> {
    if (items.length > federationLimits.batchItemsMax) throw new AppError('too_large');
    const law = await this.#lawOf(room);
    const since = performance.now();
    const outcomes: ItemOutcome[] = [];
    const candidates = await this.#verified(law, { items, carrier, outcomes });
    this.#options.metrics.took('verify', since);
    return { room, carrier, items, candidates, outcomes };
  }

  /** The other half: order, hash chain, membership and the room's rules, as they are now, and what holds is stored. */
  async store({ room, carrier, candidates, outcomes: known }: CheckedBatch): Promise<ItemOutcome[]> {
    const law = await this.#lawOf(room);
    const { metrics } = this.#options;
    const since = performance.now();
    const outcomes = [...known];
    if (candidates.length > 0) await this.#store(law, { candidates, carrier, outcomes });
    metrics.took('store', since);
    for (const { outcome } of outcomes) metrics.items('in', outcome, 1);
    return outcomes;
  }

  async #lawOf(room: string): Promise<LawfulRoom> {
    const place = await this.#rooms.find(room);
    if (place === undefined) throw new AppError('not_found');
    return { ...place, admins: genesisIn(place).admins };
  }

  /** How far every feed of the room is known here. */
  vector(room: string): Promise<FeedVector> {
    return readVector(this.#options.database, room);
  }

  /** Those that hold for themselves; what became of the others stands in `outcomes`. */
  async #verified(
    { id: room, admins }: LawfulRoom,
    { items, carrier, outcomes }: { items: readonly WireItem[]; carrier: string; outcomes: ItemOutcome[] },
  ): Promise<Candidate[]> {
    const { keyring, siteId } = this.#options;
    const checked = items.map(async (wire, at): Promise<Candidate | undefined> => {
      const dropped = droppedBy(siteId, wire);
      const item = dropped === undefined ? await verifyItem(wire, { room, carrier, keyring, admins }) : undefined;
      if (dropped !== undefined) outcomes[at] = { outcome: 'dropped', reason: dropped };
      else if (typeof item === 'string') outcomes[at] = { outcome: 'unverifiable', reason: item };
      else if (item!.content.site === siteId) outcomes[at] = { outcome: 'dropped', reason: 'looped' };
      else return { at, item: item! };
      return undefined;
    });
    return (await Promise.all(checked)).filter((candidate) => candidate !== undefined);
  }

  async #store(
    room: LawfulRoom,
    { candidates, carrier, outcomes }: { candidates: readonly Candidate[]; carrier: string; outcomes: ItemOutcome[] },
  ): Promise<void> {
    const takings = await this.#options.database.transaction(async (transaction) => {
      const done: TakenFeed[] = [];
      for (const [feed, group] of byFeed(room.id, candidates)) {
        // oxlint-disable-next-line no-await-in-loop -- feeds are locked in one order
        const taking = await takeGroup(transaction, { room, feed, group, outcomes });
        if (taking === undefined) continue;
        // oxlint-disable-next-line no-await-in-loop
        await storeTaking(transaction, feed, taking, { board: room.board, carrier });
        done.push({ feed, taking });
      }
      await noteRefused(transaction, room, done, this.#options.decisions);
      return done;
    });
    this.#tell(room.id, takings);
  }

  #tell(room: string, takings: readonly TakenFeed[]): void {
    const { growth, metrics, logger, onAccepted } = this.#options;
    if (takings.some(({ taking }) => taking.items.length > 0)) {
      onAccepted();
      growth.grown(room);
    }
    for (const { feed, taking } of takings) {
      for (const { oseq, other } of taking.evidence) {
        metrics.equivocated();
        logger.error({ event: 'feed.equivocation', ...feed, oseq, other: other.hash.toString('hex') });
      }
    }
  }
}

type LawfulRoom = Room & RoomLaw;

interface TakenFeed {
  feed: FeedPlace;
  taking: FeedTaking;
}

function droppedBy(siteId: string, { via }: Partial<WireItem>): 'looped' | 'via_too_long' | undefined {
  if (!Array.isArray(via)) return undefined;
  if (via.length > federationLimits.viaMax) return 'via_too_long';
  return via.includes(siteId) ? 'looped' : undefined;
}

function byFeed(room: string, candidates: readonly Candidate[]): [FeedPlace, Candidate[]][] {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const { site, epoch } = candidate.item.content;
    const key = `${site} ${epoch}`;
    groups.set(key, [...(groups.get(key) ?? []), candidate]);
  }
  const inOrder = [...groups].sort(([left], [right]) => (left < right ? -1 : 1));
  return inOrder.map(([, group]) => {
    const { site, epoch } = group[0]!.item.content;
    return [{ room, site, epoch }, group];
  });
}

async function takeGroup(
  transaction: Queryable,
  work: { room: LawfulRoom; feed: FeedPlace; group: readonly Candidate[]; outcomes: ItemOutcome[] },
): Promise<FeedTaking | undefined> {
  const { room, feed, group, outcomes } = work;
  const state = await lockFeed(
    transaction,
    feed,
    group.map(({ item }) => item),
  );
  const taking = state && new FeedTaking(room, state);
  for (const { at, item } of group) outcomes[at] = taking?.take(item) ?? { outcome: 'unknown_feed' };
  return taking;
}
