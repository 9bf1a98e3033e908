import type { SyncResponse } from '@boardwire/contracts';
import type { Database, DecisionOutbox } from '@boardwire/database';
import type { InternalClient, ServiceContext } from '@boardwire/service-kit';
import { BoardRules } from '../following/board-rules.ts';
import { HandoverWorker } from '../handover/handover-worker.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import { Ingest } from '../ingest/ingest.ts';
import type { SiteKeyring } from '../ingest/site-keyring.ts';
import type { FederationMetrics } from '../metrics.ts';
import { RoomStore } from '../rooms/room-store.ts';
import { Rooms } from '../rooms/rooms.ts';
import { foreignAppendOver, foreignRedactOver, removedOver, saltedRangeOver } from './chat-board.ts';
import { FeedEpochs } from './feed-epochs.ts';
import { FeedReader } from './feed-reader.ts';
import { Growth } from './growth.ts';
import { OwnFeeds } from './own-feeds.ts';
import { OwnRedactions } from './own-redactions.ts';

export interface FeedParts {
  rooms: Rooms;
  epochs: FeedEpochs;
  reader: FeedReader;
  ownFeeds: OwnFeeds;
  /** What chat says of its boards. */
  onControl: (changes: SyncResponse) => void;
  /** More of a room's feeds is known, or another feed. */
  grown: (room: string) => void;
  /** Runs the supervised loops. */
  start: () => void;
  ingest: (keyring: SiteKeyring) => Ingest;
}

export interface BuildFeedsOptions {
  database: Database;
  identity: SiteIdentity;
  chat: InternalClient;
  context: ServiceContext;
  metrics: FederationMetrics;
  mayGrow: (room: string) => boolean;
  onPutBack: (room: string) => void;
  decisions: DecisionOutbox;
}

/** Rooms, the feeds in them, and the way of other sites' events into the boards. */
export function buildFeeds(options: BuildFeedsOptions): FeedParts {
  const { database, identity, chat, context, metrics, mayGrow, onPutBack, decisions } = options;
  const { logger } = context;
  const growth = new Growth();
  const rules = new BoardRules();
  const handover = new HandoverWorker({
    database,
    append: foreignAppendOver(chat),
    redact: foreignRedactOver(chat),
    metrics,
    logger,
  });
  context.metrics.queueDepth('handover', () => handover.depth);
  const { siteId } = identity;
  const redactions = new OwnRedactions({ database, siteId, removed: removedOver(chat), logger });
  const shared = { database, growth, metrics, logger };
  const onAccepted = () => handover.poke();
  return {
    rooms: new Rooms(identity, new RoomStore(database)),
    epochs: new FeedEpochs(database, identity),
    reader: new FeedReader(database, identity, growth),
    ownFeeds: new OwnFeeds({
      ...shared,
      identity,
      range: saltedRangeOver(chat),
      rulesOf: rules.of,
      mayGrow,
      onPutBack,
    }),
    ingest: (keyring) => new Ingest({ ...shared, siteId, keyring, decisions, onAccepted }),
    onControl: ({ boards }) => {
      rules.apply(boards);
      redactions.look(boards);
    },
    grown: (room) => growth.grown(room),
    start: () => {
      context.supervisor.run('handover', { beatEveryMs: 1_000 }, (loop) => handover.run(loop));
      context.supervisor.run('feed-redactions', { beatEveryMs: 1_000 }, (loop) => redactions.run(loop));
    },
  };
}
