import type { HandshakeAnswer } from '@boardwire/contracts';
import { isConnectionError, type Database } from '@boardwire/database';
import { DecisionReporter, type InternalClient, type ServiceContext } from '@boardwire/service-kit';
import type { FastifyInstance } from 'fastify';
import type { FederationConfig } from '../config.ts';
import { Contacts } from '../contacts/contacts.ts';
import { EvidenceBook } from '../evidence/evidence-book.ts';
import { EvidenceCourier } from '../evidence/evidence-courier.ts';
import type { FeedParts } from '../feeds/build-feeds.ts';
import type { HopParts } from '../hop/build-hop.ts';
import type { SiteIdentity } from '../identity/site-identity.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { SiteKeyring } from '../ingest/site-keyring.ts';
import { RoomMembers } from '../members/room-members.ts';
import type { FederationMetrics } from '../metrics.ts';
import { blameOf, type Judge } from '../links/blame.ts';
import { InvitationStore } from '../peers/invitation-store.ts';
import { PeerStore } from '../peers/peer-store.ts';
import { RoomStore } from '../rooms/room-store.ts';
import { headRoute } from './answer-head.ts';
import { ContactNotes } from './contact-notes.ts';
import { Handshakes } from './handshakes.ts';
import { headerHashesOver } from './header-hashes.ts';
import { NewerKeys } from './newer-keys.ts';
import { PeerBook } from './peer-book.ts';
import { PeerRates } from './peer-rates.ts';
import { reconcileRoute } from './reconcile.ts';
import { Refusals } from './refusals.ts';
import { feedRoute } from './serve-feed.ts';
import { mountWire } from './serve-wire.ts';
import { StrangerGate } from './stranger-gate.ts';
import { OpenStreams } from './stream/open-streams.ts';
import { evidenceRoute } from './take-evidence.ts';
import { pushRoute } from './take-push.ts';
import { WireDoor } from './wire-door.ts';
import type { SiteRoute } from './wire-route.ts';

export interface BuildWireOptions {
  database: Database;
  identity: SiteIdentity;
  hop: HopParts;
  feeds: FeedParts;
  context: ServiceContext;
  metrics: FederationMetrics;
  config: Pick<FederationConfig, 'FEDERATION_HEARTBEAT_MS'>;
  /** Undefined: nobody is told of refusals. */
  audit: InternalClient | undefined;
  /** What is answered beside rooms. */
  siteRoutes: readonly SiteRoute[];
}

/** The side of BF/1 that answers, and what the side that asks shares with it. */
export interface WireParts {
  members: RoomMembers;
  contacts: Contacts;
  peers: PeerStore;
  invitations: InvitationStore;
  ingest: Ingest;
  evidence: EvidenceBook;
  /** What became of items, for whoever has to bear the blame: strikes, and a record in the audit. */
  judge: Judge;
  mount: (fastify: FastifyInstance) => void;
  /** Runs the supervised loops. */
  start: () => void;
  /** A decision about a peer was taken: it counts from now on. */
  lookAgain: () => Promise<void>;
  /** Sends everybody who streams away. */
  drain: () => void;
  close: () => Promise<void>;
}

export function buildWire(options: BuildWireOptions): WireParts {
  const { database, context, hop } = options;
  const { logger } = context;
  const shared = buildShared(options);
  const book = new PeerBook(database, logger);
  const courier = new EvidenceCourier({ database, client: hop.client, logger });
  const decisions = refusalReporter(options);
  const { mount, streams, judge } = buildServer(options, { shared, book, decisions });
  return {
    ...shared,
    judge,
    mount,
    start: () => {
      context.supervisor.run('peer-book', { beatEveryMs: 1_000 }, (loop) => book.run(loop));
      context.supervisor.run('evidence', { beatEveryMs: 1_000 }, (loop) => courier.run(loop));
      if (decisions === undefined) return;
      context.supervisor.run('refusals', { beatEveryMs: 1_000 }, (loop) => decisions.run(loop));
    },
    lookAgain: () => told(book.refresh(), logger),
    drain: () => streams.drain(),
    close: async () => decisions?.flush(),
  };
}

type Shared = Pick<WireParts, 'members' | 'contacts' | 'peers' | 'invitations' | 'ingest' | 'evidence'>;

function buildShared({ database, identity, hop, feeds, context, metrics }: BuildWireOptions): Shared {
  const { logger } = context;
  const { documents, sites } = hop;
  const peers = new PeerStore(database);
  const keyring = withOwnKeys(hop.keyring, identity);
  const evidence = new EvidenceBook({ database, keyring, metrics, logger });
  return {
    peers,
    evidence,
    members: new RoomMembers({ database, identity, sites, documents, epochs: feeds.epochs, peers, logger }),
    contacts: new Contacts(),
    invitations: new InvitationStore(database),
    ingest: feeds.ingest(keyring),
  };
}

interface ServerParts {
  shared: Shared;
  book: PeerBook;
  decisions: DecisionReporter | undefined;
}

function buildServer(options: BuildWireOptions, { shared, book, decisions }: ServerParts) {
  const { database, identity, hop, feeds, context, metrics, config, siteRoutes } = options;
  const { logger, tokens } = context;
  const { members, contacts, peers, invitations, ingest, evidence } = shared;
  const { signer, verifier, documents, nonces } = hop;
  const { reader } = feeds;
  const rates = new PeerRates();
  const gate = new StrangerGate();
  const refusals = new Refusals({ metrics, logger, decisions });
  const hashes = headerHashesOver(database);
  const room = { database, reader, members, logger };
  const heartbeatMs = config.FEDERATION_HEARTBEAT_MS;
  const streams = new OpenStreams({ ...room, signer, contacts, book, hashes, metrics, heartbeatMs });
  const guests = {
    identity,
    nonces,
    documents,
    invitations,
    peers,
    book,
    members,
    rooms: new RoomStore(database),
    gate,
  };
  const onShaken = (site: string, state: HandshakeAnswer['state']) => {
    logger.info({ event: 'wire.handshake', site, state });
    decisions?.report({ action: `federation.handshake.${state}`, outcome: 'done', actor: site });
  };
  const handshakes = new Handshakes({ ...guests, onShaken });
  const judge = strikesBy({ peers, book, refusals });
  const routes = [
    headRoute({ reader, members }),
    pushRoute({ ingest, members, rates, onOutcomes: judge }),
    feedRoute({ database, reader, metrics }),
    reconcileRoute({ reader, hashes }),
    evidenceRoute(evidence),
  ];
  const { keyring, sites: store } = hop;
  const newerKeys = new NewerKeys({ keyring, store, documents, logger });
  const door = new WireDoor({ verifier, book, rates, gate, newerKeys });
  const notes = new ContactNotes(peers, book, logger);
  const onContact = (site: string) => notes.seen(site);
  const parts = { door, book, signer, refusals, handshakes, streams, routes, siteRoutes, tokens, onContact };
  return { streams, judge, mount: (fastify: FastifyInstance) => mountWire(fastify, parts) };
}

function refusalReporter({ context, metrics, audit }: BuildWireOptions): DecisionReporter | undefined {
  if (audit === undefined) return undefined;
  const onLost = (count: number) => metrics.decisionsLost(count);
  const reporter = new DecisionReporter({ service: 'federation', audit, onLost, logger: context.logger });
  context.metrics.queueDepth('decisions', () => reporter.waiting);
  return reporter;
}

/** What this site has signed is judged like what others have: evidence may be about itself. */
function withOwnKeys(keyring: SiteKeyring, identity: SiteIdentity): SiteKeyring {
  return {
    eventKey: (site, kid) =>
      site === identity.siteId ? Promise.resolve(identity.eventKeys.get(kid)) : keyring.eventKey(site, kid),
  };
}

interface Striking {
  peers: PeerStore;
  book: PeerBook;
  refusals: Refusals;
}

/** Of one request no more items count than it takes to suspend a peer. */
const strikesPerRequestMax = 3;

function strikesBy({ peers, book, refusals }: Striking): Judge {
  return async (outcomes, items, carrier) => {
    const blamed = outcomes.flatMap((outcome, at) => blameOf(outcome, items[at]!, carrier) ?? []);
    for (const { site, reason } of blamed.slice(0, strikesPerRequestMax)) {
      refusals.report(`federation.item_${reason}`, site);
      // oxlint-disable-next-line no-await-in-loop -- three at most
      if ((await peers.find(site)) === undefined || !(await peers.strike(site, reason))) continue;
      refusals.report('federation.suspend', site);
      // oxlint-disable-next-line no-await-in-loop
      await book.refresh();
    }
    for (const { outcome } of outcomes)
      if (outcome === 'equivocation') refusals.report('federation.equivocation', carrier);
  };
}

/** What others will hear of later anyway. */
function told(work: Promise<void>, logger: ServiceContext['logger']): Promise<void> {
  return work.catch((error: unknown) => {
    if (isConnectionError(error)) logger.warn({ event: 'wire.not_told', err: error });
    else logger.error({ event: 'wire.not_told', err: error });
  });
}
