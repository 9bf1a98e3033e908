import { federationLimits, type WireItem } from '@boardwire/contracts';
import type { FeedReader } from '../../feeds/feed-reader.ts';

export interface PagePlace {
  site: string;
  epoch: string;
  from: number;
  /** How far the feed is known: a page of a feed that has grown is another page. */
  n: number;
}

const keptMs = 1_000;
const pagesMax = 16;

/** Pages of a room's feeds, read once for all streams that are at the same place; that is what live ones are. */
export class SharedPages {
  readonly #reader: FeedReader;
  readonly #room: string;
  readonly #pages = new Map<string, { at: number; items: Promise<WireItem[]> }>();

  constructor(reader: FeedReader, room: string) {
    this.#reader = reader;
    this.#room = room;
  }

  read({ site, epoch, from, n }: PagePlace): Promise<WireItem[]> {
    const key = `${site} ${epoch} ${from} ${n}`;
    const now = performance.now();
    const known = this.#pages.get(key);
    // Not for long: what is removed meanwhile is to be sent without its data.
    if (known !== undefined && now - known.at < keptMs) return known.items;
    const items = this.#reader.page(this.#room, site, epoch, { from, limit: federationLimits.batchItemsMax });
    this.#pages.delete(key);
    this.#pages.set(key, { at: now, items });
    if (this.#pages.size > pagesMax) this.#pages.delete(this.#pages.keys().next().value ?? '');
    items.catch(() => this.#pages.delete(key));
    return items;
  }
}
