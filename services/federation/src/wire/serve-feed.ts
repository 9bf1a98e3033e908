import {
  federationLimits,
  feedEpochRecordSchema,
  feedEpochSchema,
  siteIdSchema,
  type FeedPage,
} from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { Envelope } from '@boardwire/signing';
import { z } from 'zod';
import type { FeedReader } from '../feeds/feed-reader.ts';
import type { FederationMetrics } from '../metrics.ts';
import { FedError } from './fed-error.ts';
import { offeredItems } from './offered-items.ts';
import { parseBody, type WireRoute } from './wire-route.ts';

const placeSchema = z.object({
  site: siteIdSchema,
  epoch: feedEpochSchema,
  from: z.coerce.number().int().positive().default(1),
  limit: z.coerce.number().int().positive().max(federationLimits.batchItemsMax).default(federationLimits.batchItemsMax),
});

interface FeedRow {
  n: number;
  state: 'open' | 'frozen';
  next: Envelope | null;
}

/** `GET …/feeds/{site}/{epoch}/events`: a part of any feed that is kept here, for a member that misses it. */
export function feedRoute(parts: { database: Database; reader: FeedReader; metrics: FederationMetrics }): WireRoute {
  const { database, reader, metrics } = parts;
  return {
    method: 'GET',
    path: 'feeds/:site/:epoch/events',
    scope: 'read',
    bodyBytesMax: 0,
    async answer({ peer, room, grant, params }) {
      const { site, epoch, from, limit } = parseBody(placeSchema, params);
      const [feed] = await database.query<FeedRow>(feedRow, [room, site, epoch]);
      if (feed === undefined) return { status: 200, json: { items: [], n: 0 } satisfies FeedPage };
      assertServed(feed, from);
      const page = await reader.page(room, site, epoch, { from, limit });
      if (page.length === 0 && from <= feed.n) throw new FedError('feed_pruned', { detail: `not kept here: ${from}` });
      // It asks for what it once had: that it carried it then says nothing now.
      const items = offeredItems(page, { grant }).map((item) => withoutCarrier(item, peer.site, site));
      if (items.length === 0 && page.length > 0)
        throw new FedError('direction_denied', { detail: 'not a shared subject' });
      metrics.items('out', 'backfilled', items.length);
      return { status: 200, json: { items, n: feed.n } satisfies FeedPage };
    },
  };
}

/** Behind the end of a feed that ends there nothing will ever be. */
function assertServed({ n, state, next }: FeedRow, from: number): void {
  if (from <= n) return;
  if (state === 'frozen') throw new FedError('equivocation');
  if (next !== null && (afterOf(next)?.n ?? 0) <= n) throw new FedError('epoch_closed');
}

function withoutCarrier<T extends { via: string[] }>(item: T, carrier: string, origin: string): T {
  return item.via.includes(carrier) ? { ...item, via: [origin, item.via.at(-1)!] } : item;
}

function afterOf({ payload }: Envelope) {
  return feedEpochRecordSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString())).after;
}

const feedRow = `
  SELECT n, state, (
    SELECT record FROM feed later WHERE (later.room, later.site) = (feed.room, feed.site) AND later.ordinal = feed.ordinal + 1
  ) AS next
  FROM feed WHERE room = $1 AND site = $2 AND epoch = $3`;
