import type { TicketUse } from '@boardwire/contracts';
import { DecisionOutbox, isConnectionError, type Database } from '@boardwire/database';
import type { Bus } from '@boardwire/messaging';
import { DecisionDelivery, InternalClient, type ServiceContext } from '@boardwire/service-kit';
import { AccessTokens } from './accounts/access-tokens.ts';
import { AccountStore } from './accounts/account-store.ts';
import { Accounts } from './accounts/accounts.ts';
import { ensureAdmin } from './accounts/ensure-admin.ts';
import { Passwords } from './accounts/passwords.ts';
import { ChangedAccounts } from './accounts/changed-accounts.ts';
import { Revocations } from './accounts/revocations.ts';
import { SessionStore } from './accounts/session-store.ts';
import { SigningKeys } from './accounts/signing-keys.ts';
import { BoardStore } from './boards/board-store.ts';
import { BoardWatch } from './boards/board-watch.ts';
import { Boards } from './boards/boards.ts';
import { ChangeClock } from './boards/change-clock.ts';
import { DeletedBoards } from './boards/deleted-boards.ts';
import { takesGuests, type ChatConfig } from './config.ts';
import { ControlFeed } from './control/control-feed.ts';
import { IgnoreBook } from './ignores/ignore-book.ts';
import { IgnoreStore } from './ignores/ignore-store.ts';
import { Ignores } from './ignores/ignores.ts';
import { AppendLog } from './log/append-log.ts';
import { AppendStore } from './log/append-store.ts';
import { EpochGuard } from './log/epoch-guard.ts';
import { FreshRows } from './log/fresh-rows.ts';
import { ReadLog } from './log/read-log.ts';
import { ReadStore } from './log/read-store.ts';
import { Relay } from './log/relay.ts';
import { RelayStore } from './log/relay-store.ts';
import { Disclosures } from './log/disclosures.ts';
import { RedactionNotices } from './log/redaction-notices.ts';
import { Removals } from './log/removals.ts';
import { RemovalStore } from './log/removal-store.ts';
import { Retention } from './log/retention.ts';
import { RetentionStore } from './log/retention-store.ts';
import { ReplicaHints } from './log/replica-hints.ts';
import { SubjectCatalog } from './log/subject-catalog.ts';
import { SubjectFilters } from './log/subject-filters.ts';
import { Sync } from './log/sync.ts';
import { MembershipBook } from './members/membership-book.ts';
import { MembershipStore } from './members/membership-store.ts';
import { Members } from './members/members.ts';
import { chatMetrics } from './metrics.ts';
import { seedBoards } from './site/seed-boards.ts';
import { SiteIdentity } from './site/site-identity.ts';
import { TicketStore } from './tickets/ticket-store.ts';
import { Tickets } from './tickets/tickets.ts';

export interface ChatDependencies {
  context: ServiceContext;
  config: ChatConfig;
  database: Database;
  bus: Bus;
}

export type ChatParts = ReturnType<typeof buildChat>;

/** What the service is made of, built once and not running yet. */
export function buildChat(dependencies: ChatDependencies) {
  const { context, config, database, bus } = dependencies;
  const metrics = chatMetrics(context.metrics);
  const federation = new InternalClient({ context, service: 'federation', baseUrl: config.FEDERATION_URL });
  const identity = new SiteIdentity(database, federation, context.logger);
  const hints = new ReplicaHints(bus);
  const decisions = new DecisionOutbox(database);
  const shared = { ...dependencies, metrics, identity, hints, decisions };
  const log = buildLog(shared);
  const people = buildAccounts({ ...shared, watch: log.watch, control: log.control });
  const onChanged = (slug: string) => {
    log.control.poke();
    hints.boardChanged(slug);
  };
  const boards = new Boards({
    database,
    store: log.boardStore,
    watch: log.watch,
    decisions,
    onChanged,
  });
  const members = new Members({ database, store: log.membershipStore, boards: log.watch, decisions, onChanged });
  const ignores = new Ignores({
    database,
    store: log.ignoreStore,
    decisions,
    siteId: () => identity.siteId,
    onChanged: () => {
      log.control.poke();
      hints.rightsChanged();
    },
  });
  const forgetting = buildForgetting({ ...shared, watch: log.watch, appendLog: log.appendLog });
  const delivery = buildDelivery(shared);
  return { ...log, ...forgetting, ...people, ...delivery, boards, members, ignores, identity, hints, federation };
}

type Shared = ChatDependencies & {
  metrics: ReturnType<typeof chatMetrics>;
  identity: SiteIdentity;
  hints: ReplicaHints;
  decisions: DecisionOutbox;
};

/** What everybody who follows the site is told: boards, and what changes rights. */
function buildWatch({ database, identity }: Shared) {
  const clock = new ChangeClock();
  const boardStore = new BoardStore(database);
  const watch = new BoardWatch(boardStore, clock);
  const revocations = new Revocations(clock);
  const changedAccounts = new ChangedAccounts(database, new AccountStore(), clock, watch);
  const membershipStore = new MembershipStore();
  const memberships = new MembershipBook(database, membershipStore, clock, watch);
  const ignoreStore = new IgnoreStore();
  const ignoreBook = new IgnoreBook(database, ignoreStore, clock);
  const books = [revocations, changedAccounts, memberships, ignoreBook];
  const control = new ControlFeed({ database, clock, boards: watch, books });
  const told = { clock, boards: watch, revocations, changedAccounts, memberships, ignores: ignoreBook };
  const sync = new Sync({ ...told, origin: () => identity.siteId });
  return { boardStore, watch, control, sync, memberships, membershipStore, ignoreBook, ignoreStore };
}

function buildLog(shared: Shared) {
  const { context, database, bus, metrics, identity, hints } = shared;
  const { logger } = context;
  const watching = buildWatch(shared);
  const { boardStore, watch } = watching;
  const subjects = new SubjectCatalog(database);
  const epochs = new EpochGuard({
    database,
    store: boardStore,
    boards: watch,
    bus,
    logger,
    onReplaced: () => subjects.forget(),
  });
  const fresh = new FreshRows();
  const appendLog = new AppendLog({
    store: new AppendStore(database),
    subjects,
    boards: watch,
    metrics,
    fresh,
    origin: () => identity.siteId,
    onCommitted: () => hints.appended(),
    onWentBack: (boardId, epoch) => {
      epochs.logWentBack(boardId, epoch).catch((error: unknown) => {
        logger.error({ event: 'epoch.not_begun', boardId, err: error });
      });
    },
  });
  const readLog = new ReadLog(watch, new ReadStore(database), new SubjectFilters(database));
  const relay = new Relay({
    database,
    bus,
    boards: watch,
    store: new RelayStore(database),
    fresh,
    epochs,
    metrics,
    logger,
  });
  return { ...watching, epochs, appendLog, readLog, relay };
}

/** What the logs let go of: old events, single ones, whole boards. */
function buildForgetting({
  context,
  config,
  database,
  bus,
  metrics,
  decisions,
  identity,
  watch,
  appendLog,
}: Shared & { watch: BoardWatch; appendLog: AppendLog }) {
  const { logger } = context;
  const retentionStore = new RetentionStore(database);
  const everyMs = config.RETENTION_EVERY_MS;
  const removalStore = new RemovalStore(database);
  const notices = new RedactionNotices({
    store: removalStore,
    append: (slug, items) => appendLog.appendOwn(slug, items),
    siteId: () => identity.siteId,
  });
  const tellReaders = () => notices.tell();
  const removals = new Removals({ database, bus, store: removalStore, boards: watch, decisions, tellReaders, logger });
  const deleted = new DeletedBoards({ database, bus });
  const retention = new Retention({ store: retentionStore, boards: watch, metrics, logger, everyMs });
  const disclosures = new Disclosures(database, watch);
  return { retention, retentionStore, deleted, removals, disclosures };
}

type AccountsDependencies = Shared & { watch: BoardWatch; control: ControlFeed };

function buildAccounts(dependencies: AccountsDependencies) {
  const { context, config, database, metrics, identity, hints, decisions, watch, control } = dependencies;
  const signingKeys = new SigningKeys(database, context.logger, config.INTERNAL_SECRET);
  metrics.signingKey(() => signingKeys.madeAt);
  const stores = {
    accounts: new AccountStore(),
    sessions: new SessionStore(config.INTERNAL_SECRET),
    passwords: new Passwords(),
  };
  const accounts = new Accounts({
    ...stores,
    database,
    tokens: new AccessTokens(signingKeys, watch, () => identity.siteId),
    decisions,
    metrics,
    takesGuests: takesGuests(config),
    onRightsChanged: () => {
      control.poke();
      hints.rightsChanged();
    },
    onEnded: (sessionId, userId) => {
      control.poke();
      hints.sessionRevoked(sessionId, userId);
    },
  });
  const ticketStore = new TicketStore();
  const onUsedAgain = (use: TicketUse) => hints.ticketUsed(use);
  const tickets = new Tickets({ database, store: ticketStore, boards: watch, onUsedAgain });
  const prepareAdmin = async () => {
    const password = config.ADMIN_PASSWORD;
    if (password !== undefined) await ensureAdmin({ ...stores, database, decisions }, password);
  };
  return { accounts, signingKeys, sessions: stores.sessions, tickets, ticketStore, prepareAdmin };
}

function buildDelivery({ context, config, metrics, decisions }: Shared) {
  if (config.AUDIT_URL === undefined) return { audit: undefined, delivery: undefined };
  const audit = new InternalClient({ context, service: 'audit', baseUrl: config.AUDIT_URL });
  const delivery = new DecisionDelivery({
    service: 'chat',
    outbox: decisions,
    audit,
    isPassing: isConnectionError,
    onDelivered: (count) => metrics.decisionsDelivered(count),
    logger: context.logger,
  });
  return { audit, delivery };
}

/** Everything that must be in the database before the first request. */
export async function prepareChat(parts: ChatParts, { database, config }: ChatDependencies): Promise<void> {
  await parts.epochs.checkPostgres();
  await seedBoards(database, parts.boardStore, config.SITE_TIME_ZONE);
  await parts.prepareAdmin();
  await parts.signingKeys.current();
  await parts.identity.load();
  await parts.watch.refresh();
  await parts.memberships.load();
  await parts.ignoreBook.load();
}
