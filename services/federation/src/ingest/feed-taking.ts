import type { FeedItem, Signature } from '../feeds/feed-items.ts';
import { eventKey } from '../feeds/feed-items.ts';
import type { Redaction } from '../redactions/redaction-store.ts';
import type { ItemOutcome, Refusal } from './item-outcome.ts';
import { refusalOf, type RoomLaw } from './refusal-of.ts';
import type { VerifiedItem } from './verify-item.ts';

/** A place of a feed that is taken already. */
export interface TakenPlace {
  hash: Buffer;
  header: Buffer;
  sigs: readonly Signature[];
}

export interface Hole extends TakenPlace {
  oseq: number;
  reason: Refusal;
}

export interface Evidence {
  oseq: number;
  kept: TakenPlace;
  other: TakenPlace;
}

/** What the feed is when its row is locked. */
export interface FeedState {
  n: number;
  hash: Buffer;
  state: 'open' | 'frozen';
  /** Its site was removed from the room: the last place that is still taken. Null for a member's. */
  nMax: number | null;
  /** Of the items at hand: places that are stored, by oseq. */
  taken: ReadonlyMap<number, TakenPlace>;
  /** Of the items at hand: events that are stored, see `eventKey`. */
  events: ReadonlySet<string>;
}

/** Takes verified items of one feed in the order they come, in memory; what it gathered is stored by one transaction. */
export class FeedTaking {
  readonly items: FeedItem[] = [];
  readonly holes: Hole[] = [];
  readonly evidence: Evidence[] = [];
  readonly redactions: Redaction[] = [];
  n: number;
  hash: Buffer;
  isFrozen: boolean;
  kid: string | undefined;
  readonly #place: RoomLaw;
  readonly #taken: Map<number, TakenPlace>;
  readonly #events: Set<string>;
  readonly #nMax: number;

  constructor(place: RoomLaw, { n, hash, state, nMax, taken, events }: FeedState) {
    this.#place = place;
    this.n = n;
    this.hash = hash;
    this.isFrozen = state === 'frozen';
    this.#nMax = nMax ?? Infinity;
    this.#taken = new Map(taken);
    this.#events = new Set(events);
  }

  take(item: VerifiedItem): ItemOutcome {
    const { oseq, prev } = item.content;
    if (this.isFrozen) return { outcome: 'frozen' };
    if (oseq <= this.n) return this.#repeated(item);
    if (oseq > this.#nMax) return { outcome: 'frozen' };
    if (oseq > this.n + 1) return { outcome: 'gap', expected: this.n + 1 };
    if (prev !== this.hash.toString('hex')) return { outcome: 'unverifiable', reason: 'prev' };
    return this.#append(item);
  }

  /** The same header again, or another one for the same place: proof that its site says two things. */
  #repeated(item: VerifiedItem): ItemOutcome {
    const { oseq } = item.content;
    const kept = this.#taken.get(oseq);
    if (kept === undefined) throw new Error(`place ${oseq} of a feed of ${this.n} is neither an item nor a hole`);
    if (kept.hash.equals(item.hash)) return { outcome: 'duplicate', oseq };
    this.evidence.push({ oseq, kept, other: item });
    this.isFrozen = true;
    return { outcome: 'equivocation' };
  }

  #append(item: VerifiedItem): ItemOutcome {
    const { content, hash, header, sigs } = item;
    const { oseq, kid } = content;
    this.n = oseq;
    this.hash = hash;
    this.kid = kid;
    this.#taken.set(oseq, { hash, header, sigs });
    const reason = refusalOf(this.#place, item);
    if (reason !== undefined) {
      this.holes.push({ oseq, hash, header, sigs, reason });
      return { outcome: 'refused', reason, oseq };
    }
    this.#noteRedactions(item);
    const isRepeat = this.#events.has(eventKey(content));
    this.#events.add(eventKey(content));
    this.items.push(storedItem(item, isRepeat));
    return { outcome: 'accepted', oseq };
  }

  #noteRedactions({ content, header, sigs, redaction }: VerifiedItem): void {
    if (redaction !== undefined) this.redactions.push(redaction);
    const { redacts, site: by } = content;
    if (redacts !== undefined) this.redactions.push({ redacts, by, header, sigs });
  }
}

function storedItem({ content, hash, header, sigs, salt, data, via }: VerifiedItem, isRepeat: boolean): FeedItem {
  const { oseq, dsize, source, id } = content;
  return { oseq, hash, header, sigs, salt, data, dsize, via, source, id, isRepeat, boardSeq: null };
}
