import type { Invitation } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { ServiceContext } from '@boardwire/service-kit';
import type { FeedParts } from '../feeds/build-feeds.ts';
import { OwnRecovery } from '../feeds/own-recovery.ts';
import type { HopParts } from '../hop/build-hop.ts';
import type { KeyVault } from '../identity/key-vault.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { FederationMetrics } from '../metrics.ts';
import type { Peer, PeerStore } from '../peers/peer-store.ts';
import type { Judge } from './blame.ts';
import { PeerDialer } from './dial-peer.ts';
import { EpochRule } from './epoch-rule.ts';
import { Joiner } from './joiner.ts';
import { JoiningStore } from './joining-store.ts';
import type { LinkContacts, LinkMembers, LinkParts } from './link-parts.ts';
import { Links } from './links.ts';
import { peerSeries } from './peer-series.ts';
import type { PeerStatuses } from './peer-status.ts';

export interface BuildLinksOptions {
  database: Database;
  identity: SiteIdentity;
  vault: KeyVault;
  hop: HopParts;
  feeds: FeedParts;
  ingest: Ingest;
  members: LinkMembers;
  contacts: LinkContacts;
  peers: PeerStore;
  judge: Judge;
  context: ServiceContext;
  metrics: FederationMetrics;
}

export interface LinkControls {
  statuses: PeerStatuses;
  /** Begins to enter a room; see {@link Joiner.accept}. */
  accept: (invitation: Invitation, board: string) => Promise<Peer>;
  /** Whether the own feed of a room may grow: see {@link EpochRule}. */
  mayGrow: (room: string) => boolean;
  /** The own feed of a room is known to have been further than it is. */
  putBack: (room: string) => void;
  /** Something about peers or rooms was decided. */
  poke: () => void;
  /** Runs the supervised loops. */
  start: () => void;
}

/** This site's part as a client of others. */
export function buildLinks(options: BuildLinksOptions): LinkControls {
  const { database, identity, hop, feeds, context, metrics, vault } = options;
  const { logger, supervisor } = context;
  const { ingest, members, contacts, peers, judge } = options;
  const site = identity.siteId;
  const parts: LinkParts = {
    site,
    database,
    ingest,
    reader: feeds.reader,
    members,
    contacts,
    peers,
    judge,
    metrics,
    logger,
  };
  const dialer = new PeerDialer({
    hop: hop.client,
    keys: hop.keyring,
    documents: hop.documents,
    own: site,
    ownDocument: () => identity.document,
  });
  const links = new Links(parts, dialer);
  const { rooms, epochs, ownFeeds } = feeds;
  const shared = { parts, dialer, epochs };
  const store = new JoiningStore(database, vault);
  const onJoined = () => links.poke();
  const joiner = new Joiner({ ...shared, identity, rooms, documents: hop.documents, store, onJoined });
  const recovery = new OwnRecovery(database, identity);
  const onCleared = (board: string) => ownFeeds.resume(board);
  const rule = new EpochRule({ ...shared, recovery, onCleared, onOpened: feeds.grown });
  metrics.watchPeers(() => peerSeries(links));
  return {
    statuses: links,
    accept: (invitation, board) => joiner.accept(invitation, board),
    mayGrow: rule.isCleared,
    putBack: rule.putBack,
    poke: () => links.poke(),
    start: () => {
      supervisor.run('links', { beatEveryMs: 1_000 }, (loop) => links.run(loop));
      supervisor.run('joining', { beatEveryMs: 1_000 }, (loop) => joiner.run(loop));
      supervisor.run('epoch-rule', { beatEveryMs: 1_000 }, (loop) => rule.run(loop));
    },
  };
}
