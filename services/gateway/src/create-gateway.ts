import { jwksSchema, limits } from '@boardwire/contracts';
import { DecisionReporter, InternalClient, type ServiceContext } from '@boardwire/service-kit';
import type { JSONWebKeySet } from 'jose';
import { randomBytes } from 'node:crypto';
import { ConnectionDesk } from './connections/desk.ts';
import { Connections } from './connections/connections.ts';
import { OutboxBudget } from './connections/outbox-budget.ts';
import { StallWatch } from './connections/stall-watch.ts';
import { Pace } from './connections/pace.ts';
import { isDueToRotate } from './connections/rotation.ts';
import { Wheel } from './connections/wheel.ts';
import type { OpenConnection } from './connections/open-connection.ts';
import type { GatewayConfig } from './config.ts';
import { Boards } from './delivery/boards.ts';
import { reachRules } from './delivery/reach.ts';
import { RemovalWatch } from './delivery/removal-watch.ts';
import { ReplayGate } from './delivery/replay-gate.ts';
import { ReplaySource } from './delivery/replay-source.ts';
import { RingBudget } from './delivery/ring-budget.ts';
import { RingFiller } from './delivery/ring-filler.ts';
import { SliceCache } from './delivery/slice-cache.ts';
import { StateReader } from './delivery/state-reader.ts';
import { StartPlanner } from './delivery/stream-start.ts';
import { Subscriptions } from './delivery/subscriptions.ts';
import { DialectHub } from './dialects/dialect-hub.ts';
import type { Gateway } from './gateway.ts';
import { FederationPassage } from './http/federation-passage.ts';
import { ChatBoardLog } from './intake/chat-board-log.ts';
import { GatewayMetrics } from './metrics.ts';
import { Presence } from './presence/presence.ts';
import { AppendBatcher } from './publish/append-batcher.ts';
import { EphemeralExchange } from './publish/ephemeral-exchange.ts';
import { Publisher, type PublisherOptions } from './publish/publisher.ts';
import type { Access } from './rights/access.ts';
import { ForeignIssuers } from './rights/foreign-issuers.ts';
import { RateLimiter } from './rights/rate-limiter.ts';
import { Revocations } from './rights/revocations.ts';
import { Rights } from './rights/rights.ts';
import { SiteKeys } from './rights/site-keys.ts';
import { TicketDoor } from './rights/ticket-door.ts';
import { TicketStreams } from './rights/ticket-streams.ts';
import { TokenVerifier } from './rights/token-verifier.ts';
import { Typing } from './typing/typing.ts';

const sliceBytesMax = 32 * 1024 * 1024;
const stillPeriodsMax = 2;

/** What the intake tells the gateway about, and what it is asked. */
export interface IntakeState {
  isStreaming: () => boolean;
  /** When chat last answered `/sync`, milliseconds since the Unix epoch. */
  syncedAt: () => number;
}

export interface CreatedGateway {
  gateway: Gateway;
  keys: SiteKeys;
  revocations: Revocations;
  heartbeats: Wheel<OpenConnection>;
}

/** Puts the parts together; nothing runs yet. */
export function createGateway(context: ServiceContext, config: GatewayConfig, intake: IntakeState): CreatedGateway {
  const metrics = new GatewayMetrics(context.metrics);
  const clients = createClients(context, config);
  const decisions = new DecisionReporter({
    service: 'gateway',
    audit: clients.audit,
    onLost: (count) => metrics.decisionsLost(count),
    logger: context.logger,
  });
  const pod = config.POD_NAME ?? `gateway-${randomBytes(4).toString('hex')}`;
  const base = { context, config, metrics, clients, decisions, pod };
  const startedAt = Date.now();
  const controlSilentMs = () => Date.now() - Math.max(intake.syncedAt(), startedAt);
  const { keys, revocations, ...doors } = createRights(base);
  const { rights } = doors;
  const delivery = createDelivery(base, rights);
  const limiter = new RateLimiter();
  const ephemerals = new EphemeralExchange(delivery.boards, metrics);
  const { boards } = delivery;
  const typing = createTyping(base, boards);
  const onPosted = (board: string, subject: string, userId: string) => typing.posted(board, subject, userId);
  const publisher = createPublisher(base, { boards, limiter, ephemerals, rights, onPosted });
  const { desk, heartbeats } = createDesk(base);
  revocations.onRevoked((sessionId) => desk.connections.endSession(sessionId));
  const stalls = new StallWatch({
    stalledAfterMs: limits.stalledAfterMs,
    isStreaming: () => intake.isStreaming(),
    logSilentMs: controlSilentMs,
    onChange: (stalled) => {
      for (const connection of desk.connections.all()) connection.tellStalled(stalled);
    },
  });
  const budget = new OutboxBudget(desk, config.OUTBOX_TOTAL_BYTES_MAX);
  metrics.watch({
    connections: () => desk.connections.count(),
    subscriptions: () => delivery.presence.own.subscriptions,
    outbox: () => desk.connections.outbox(),
    presentUsers: () => delivery.presence.users,
    syncAgeSeconds: () => controlSilentMs() / 1_000,
  });
  metrics.queueDepth('decisions', () => decisions.waiting);
  const gateway: Gateway = {
    ...base,
    ...delivery,
    typing,
    publisher,
    ephemerals,
    ...doors,
    limiter,
    desk,
    stalls,
    budget,
    pace: new Pace(),
    federation: new FederationPassage(context, config),
    controlSilentMs,
  };
  return { gateway, keys, revocations, heartbeats };
}

type Base = Pick<Gateway, 'pod' | 'context' | 'config' | 'metrics' | 'clients' | 'decisions'>;

function createDelivery({ context, config, metrics, clients }: Base, rights: Rights) {
  const log = new ChatBoardLog(clients.chat);
  const presence = new Presence({
    graceMs: config.LEAVE_GRACE_MS,
    rules: (board) => reachRules(boards.info(board)?.rules ?? []),
  });
  const slices = new SliceCache(sliceBytesMax);
  const gate = new ReplayGate({
    concurrentMax: limits.replaysPerPodMax,
    perUserMax: limits.replaysPerUserMax,
    observeWait: (seconds) => metrics.queueWait('replay', seconds),
  });
  metrics.queueDepth('replay', () => gate.waiting);
  const rings = new RingBudget(config.RINGS_BYTES_MAX, (events) => metrics.ringsLetGo(events));
  metrics.watchRings(() => rings.bytes);
  const boards = new Boards({
    assertExists: async (board) => void (await log.head(board)),
    ring: { eventsMax: config.RING_EVENTS_MAX, bytesMax: limits.ringBytesMax, budget: rings },
    observer: {
      onPass: (pass) => metrics.passDone(pass),
      onEphemeralPass: ({ deliveries, dropped }) => {
        metrics.ephemeralsDelivered(deliveries);
        if (dropped > 0) metrics.ephemeralDropped('outbox', dropped);
      },
      onEphemeralOverflow: (events) => metrics.ephemeralDropped('queue', events),
      onReadersFailed: ({ by, subscriptions: count, error }) => {
        metrics.readersFailed(by, count);
        context.logger.error({ event: 'delivery.reader_failed', by, subscriptions: count, err: error });
      },
    },
    onRemoved: (board) => {
      removals.forget(board);
      subscriptions.endBoard(board);
    },
    onLearned: (board) => removals.look(board),
    onPruned: () => slices.clear(),
    onRulesChanged: (board) => {
      slices.clear();
      subscriptions.refreshBoard(board);
      presence.rulesChanged(board);
    },
  });
  const removals = new RemovalWatch({
    log,
    channel: (board) => boards.channel(board),
    onRedacted: () => slices.clear(),
    onFailure: (board, error) => context.logger.warn({ event: 'removal.not_known', board, err: error }),
  });
  const planner = new StartPlanner(log, new RingFiller(log), config.REPLAY_EVENTS_MAX);
  const states = new StateReader(log, gate);
  const shared = { planner, replay: new ReplaySource(log, gate), slices, states };
  const subscriptions = new Subscriptions({ boards, rights, shared, presence, metrics });
  return { boards, log, presence, subscriptions, states, dialects: new DialectHub(boards, log) };
}

function createRights({ config, clients, metrics, decisions }: Base) {
  const revocations = new Revocations();
  const rights = new Rights();
  const keys = new SiteKeys(() => fetchKeys(clients.chat));
  const foreign = new ForeignIssuers(config.TRUSTED_ISSUERS);
  const onRefused = (reason: string) => {
    metrics.authFailed(reason);
    decisions.report({ action: `token.${reason}`, outcome: 'refused', actor: 'unknown' });
  };
  const tickets = new TicketDoor({ chat: clients.chat, onRefused });
  const verifier = new TokenVerifier({
    keys,
    revocations,
    rights,
    foreign,
    onRefused,
  });
  return { revocations, keys, verifier, rights, tickets, ticketStreams: new TicketStreams() };
}

type PublishParts = Pick<PublisherOptions, 'boards' | 'limiter' | 'ephemerals' | 'rights' | 'onPosted'>;

function createTyping({ pod, metrics }: Base, boards: Boards): Typing {
  return new Typing({
    pod,
    isOpen: (board, subject) => boards.channel(board)?.access.isOpen(subject) ?? false,
    onTyping: (from) => metrics.typing(from),
  });
}

function createPublisher({ clients, metrics, decisions }: Base, parts: PublishParts): Publisher {
  const batcher = new AppendBatcher(clients.chat, {
    onBatch: (events) => metrics.publishBatch(events),
    onWait: (seconds) => metrics.queueWait('publish', seconds),
  });
  metrics.queueDepth('publish', () => batcher.waiting);
  const onLimited = ({ userId }: Access) =>
    decisions.report({ action: 'publish.rate', outcome: 'refused', actor: userId });
  return new Publisher({ ...parts, batcher, metrics, onLimited });
}

function createDesk({ context, config, metrics }: Base) {
  const heartbeats: Wheel<OpenConnection> = new Wheel(config.HEARTBEAT_MS, (connection) =>
    beat(connection, desk, config),
  );
  const connections = new Connections();
  const desk: ConnectionDesk = new ConnectionDesk({ connections, heartbeats, metrics, logger: context.logger });
  return { desk, heartbeats };
}

/** Whoever takes nothing for two periods is cut: it comes back with its cursor, or has long been gone. */
function beat(connection: OpenConnection, desk: ConnectionDesk, config: GatewayConfig): void {
  if (connection.outbox.periodsStill() >= stillPeriodsMax) desk.cutSlow(connection, 'still');
  else if (isDueToRotate(connection, config.STREAM_MAX_AGE_MS)) connection.end('rotate');
  else connection.heartbeat();
}

function createClients(context: ServiceContext, config: GatewayConfig): Gateway['clients'] {
  return {
    chat: new InternalClient({ context, service: 'chat', baseUrl: config.CHAT_URL }),
    audit: new InternalClient({ context, service: 'audit', baseUrl: config.AUDIT_URL }),
    federation: new InternalClient({ context, service: 'federation', baseUrl: config.FEDERATION_URL }),
    applets: new InternalClient({ context, service: 'applets', baseUrl: config.APPLETS_URL }),
  };
}

async function fetchKeys(chat: InternalClient): Promise<JSONWebKeySet> {
  const path = '/internal/v1/jwks.json';
  const keys = await chat.request({ method: 'GET', path, route: path, schema: jwksSchema });
  return keys as JSONWebKeySet;
}
