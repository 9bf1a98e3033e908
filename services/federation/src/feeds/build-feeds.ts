import type { Database } from '@boardwire/database';
import type { InternalClient, ServiceContext } from '@boardwire/service-kit';
import { BoardRules } from '../following/board-rules.ts';
import { HandoverWorker } from '../handover/handover-worker.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import { Ingest } from '../ingest/ingest.ts';
import type { SiteKeyring } from '../ingest/site-keyring.ts';
import type { FederationMetrics } from '../metrics.ts';
import { RoomStore } from '../rooms/room-store.ts';
import { Rooms } from '../rooms/rooms.ts';
import { foreignAppendOver, saltedRangeOver } from './chat-board.ts';
import { FeedEpochs } from './feed-epochs.ts';
import { FeedReader } from './feed-reader.ts';
import { Growth } from './growth.ts';
import { OwnFeeds } from './own-feeds.ts';

export interface FeedParts {
  rooms: Rooms;
  epochs: FeedEpochs;
  reader: FeedReader;
  ownFeeds: OwnFeeds;
  rules: BoardRules;
  handover: HandoverWorker;
  ingest: (keyring: SiteKeyring) => Ingest;
}

export interface BuildFeedsOptions {
  database: Database;
  identity: SiteIdentity;
  chat: InternalClient;
  context: ServiceContext;
  metrics: FederationMetrics;
}

/** Rooms, the feeds in them, and the way of other sites' events into the boards. */
export function buildFeeds({ database, identity, chat, context, metrics }: BuildFeedsOptions): FeedParts {
  const { logger } = context;
  const growth = new Growth();
  const rules = new BoardRules();
  const handover = new HandoverWorker({ database, append: foreignAppendOver(chat), metrics, logger });
  context.metrics.queueDepth('handover', () => handover.depth);
  const shared = { database, growth, metrics, logger };
  const onAccepted = () => handover.poke();
  return {
    rooms: new Rooms(identity, new RoomStore(database)),
    epochs: new FeedEpochs(database, identity),
    reader: new FeedReader(database, identity, growth),
    ownFeeds: new OwnFeeds({ ...shared, identity, range: saltedRangeOver(chat), rulesOf: rules.of }),
    rules,
    handover,
    ingest: (keyring) => new Ingest({ ...shared, siteId: identity.siteId, keyring, onAccepted }),
  };
}
