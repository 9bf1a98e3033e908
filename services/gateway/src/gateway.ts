import type { InternalService } from '@boardwire/contracts';
import type { DecisionReporter, InternalClient, ServiceContext } from '@boardwire/service-kit';
import type { ConnectionDesk } from './connections/desk.ts';
import type { OutboxBudget } from './connections/outbox-budget.ts';
import type { Pace } from './connections/pace.ts';
import type { StallWatch } from './connections/stall-watch.ts';
import type { GatewayConfig } from './config.ts';
import type { Boards } from './delivery/boards.ts';
import type { StateReader } from './delivery/state-reader.ts';
import type { Subscriptions } from './delivery/subscriptions.ts';
import type { DialectHub } from './dialects/dialect-hub.ts';
import type { ChatBoardLog } from './intake/chat-board-log.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { Presence } from './presence/presence.ts';
import type { FederationPassage } from './http/federation-passage.ts';
import type { EphemeralExchange } from './publish/ephemeral-exchange.ts';
import type { Publisher } from './publish/publisher.ts';
import type { RateLimiter } from './rights/rate-limiter.ts';
import type { Rights } from './rights/rights.ts';
import type { TicketDoor } from './rights/ticket-door.ts';
import type { TicketStreams } from './rights/ticket-streams.ts';
import type { TokenVerifier } from './rights/token-verifier.ts';
import type { Typing } from './typing/typing.ts';

/** The parts of a running gateway, as its edges see them. */
export interface Gateway {
  readonly context: ServiceContext;
  /** Names this gateway among those of the site. */
  readonly pod: string;
  readonly config: GatewayConfig;
  readonly metrics: GatewayMetrics;
  readonly boards: Boards;
  readonly log: ChatBoardLog;
  readonly subscriptions: Subscriptions;
  readonly states: StateReader;
  readonly dialects: DialectHub;
  readonly presence: Presence;
  readonly typing: Typing;
  readonly publisher: Publisher;
  readonly ephemerals: EphemeralExchange;
  readonly verifier: TokenVerifier;
  readonly rights: Rights;
  readonly tickets: TicketDoor;
  readonly ticketStreams: TicketStreams;
  readonly limiter: RateLimiter;
  readonly desk: ConnectionDesk;
  readonly stalls: StallWatch;
  readonly budget: OutboxBudget;
  readonly pace: Pace;
  readonly decisions: DecisionReporter;
  readonly federation: FederationPassage;
  readonly clients: Readonly<Record<Exclude<InternalService, 'gateway'>, InternalClient>>;
  /** Milliseconds since chat last told what changed: revocations are as old as this at worst. */
  controlSilentMs: () => number;
}

/** Injection token of the {@link Gateway}. */
export const GATEWAY = Symbol('gateway');
