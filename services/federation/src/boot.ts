import { openDatabase, type Database } from '@boardwire/database';
import { chatLogOver, type BoardFollower } from '@boardwire/follower';
import { connectBus, type Bus } from '@boardwire/messaging';
import {
  InternalClient,
  createContext,
  readConfig,
  startInternalServer,
  startService,
  watchDatabase,
  type Environment,
  type RunningService,
  type ServiceContext,
} from '@boardwire/service-kit';
import { buildAdmin } from './admin/build-admin.ts';
import { certifiedAddresses, OwnCertificates } from './certificates/own-certificates.ts';
import { endpointsOf, federationConfig, type FederationConfig } from './config.ts';
import { reportDecisions, type Reporting } from './decisions/report-decisions.ts';
import { FederationModule } from './federation.module.ts';
import { buildFeeds } from './feeds/build-feeds.ts';
import { followBoards } from './following/follow-boards.ts';
import { FederationMarks } from './following/mark-store.ts';
import { buildHop, type HopParts } from './hop/build-hop.ts';
import { KeyAges } from './identity/key-ages.ts';
import type { KeyVault } from './identity/key-vault.ts';
import { LiveIdentity } from './identity/live-identity.ts';
import { loadSiteIdentity, type SiteIdentity } from './identity/site-identity.ts';
import { vaultOf } from './identity/vault-of.ts';
import { FederationMetrics } from './metrics.ts';
import { buildLinks } from './links/build-links.ts';
import { migrations } from './migrations.ts';
import { buildWire } from './wire/build-wire.ts';
import { buildWitness } from './witness/build-witness.ts';

/** Starts the service: its schema, the site's identity, then the internal port and the follower. */
export async function boot(env: Environment): Promise<RunningService> {
  const config = readConfig(federationConfig, env);
  const context = createContext('federation', config);
  return startService(context, async (onStop) => {
    const database = await openStorage(config, context);
    onStop('database', () => database.close());
    watchDatabase(context.metrics, database);
    const vault = vaultOf(config);
    const description = { name: config.SITE_NAME, endpoints: endpointsOf(config) };
    const first = await loadSiteIdentity(database, vault, description);
    const identity = new LiveIdentity(first, { database, vault, logger: context.logger });
    context.logger.info({ event: 'federation.identity', site: identity.siteId, ver: identity.documentVersion });
    const hop = buildHop(database, identity, config);
    identity.onChanged(() => hop.signer.use(identity.keys.hop));
    onStop('dialer', () => hop.dialer.close());
    const { NATS_URL: url, NATS_TOKEN: token } = config;
    const bus = await connectBus({ url, token, name: 'federation', logger: context.logger });
    onStop('bus', () => bus.close());
    const chat = new InternalClient({ context, service: 'chat', baseUrl: config.CHAT_URL });
    onStop('chat client', () => chat.close());

    const metrics = new FederationMetrics(context.metrics);
    const marks = new FederationMarks(database);
    const decisions = reportDecisions(database, context, { config, metrics });
    onStop('audit client', () => decisions.close());
    const outside = { database, identity, vault, hop, chat, context, metrics, config };
    const { feeds, wire, links, admin, witness } = buildParts(outside, decisions);
    onStop('refusals', () => wire.close());
    const follower = followBoards({ bus, chat: chatLogOver(chat), context, marks, metrics, feeds });
    const server = await startInternalServer(context, FederationModule.with(identity, admin), {
      host: config.HOST,
      port: config.INTERNAL_PORT,
      mount: wire.mount,
      boards: () => follower.boards().map(({ board, head, last }) => ({ board, head, position: last })),
    });
    onStop('internal http', () => server.close());
    onStop('peer streams', () => wire.drain());
    watchHealth(context, { database, bus, follower });
    follower.start();
    feeds.start();
    decisions.start();
    wire.start();
    links.start();
    witness.start();
    context.supervisor.run('identity', { beatEveryMs: 1_000 }, (loop) => identity.run(loop));
    context.supervisor.run('nonces', { beatEveryMs: 1_000 }, (loop) => hop.nonces.run(loop));
    watchExpiry(context, { database, metrics, config });
    onStop('loops', () => context.supervisor.stop());
    onStop('follower', () => follower.stop());
    context.health.ready();
    return { internalUrl: server.url };
  });
}

interface Outside {
  database: Database;
  identity: SiteIdentity;
  vault: KeyVault;
  hop: HopParts;
  chat: InternalClient;
  context: ServiceContext;
  metrics: FederationMetrics;
  config: FederationConfig;
}

/** The feeds, who answers other sites and who asks them, who witnesses, and what administrators see of it. */
function buildParts(outside: Outside, { audit, outbox }: Reporting) {
  const feeds = buildFeeds({
    ...outside,
    decisions: outbox,
    mayGrow: (room) => links.mayGrow(room),
    onPutBack: (room) => links.putBack(room),
  });
  const witness = buildWitness({ ...outside, decisions: outbox, audit });
  const wire = buildWire({ ...outside, feeds, audit, siteRoutes: [witness.route] });
  const links = buildLinks({ ...outside, ...wire, feeds });
  const admin = buildAdmin({
    ...outside,
    epochs: feeds.epochs,
    decisions: outbox,
    statuses: links.statuses,
    members: wire.members,
    begin: links.accept,
    onDecided: () => {
      void wire.lookAgain();
      links.poke();
    },
  });
  return { feeds, wire, links, admin, witness };
}

function openStorage(config: FederationConfig, { logger }: ServiceContext): Promise<Database> {
  const { DATABASE_URL: url, DATABASE_POOL_MAX: poolMax, MIGRATIONS: migrate } = config;
  return openDatabase({ url, schema: 'federation', migrations, migrate, poolMax, logger });
}

/** What grows old without anybody noticing: keys, and the certificate that other sites are shown. */
function watchExpiry(
  { supervisor, logger }: ServiceContext,
  { database, metrics, config }: Pick<Outside, 'database' | 'metrics' | 'config'>,
): void {
  const ages = new KeyAges(database, metrics);
  supervisor.run('key-ages', { beatEveryMs: 1_000 }, (loop) => ages.run(loop));
  const certificates = new OwnCertificates({ addresses: certifiedAddresses(config), metrics, logger });
  supervisor.run('certificates', { beatEveryMs: 1_000 }, (loop) => certificates.run(loop));
}

const chatSilentMs = 10_000;

interface Dependencies {
  database: Database;
  bus: Bus;
  follower: BoardFollower;
}

/** All soft: identity and site document come from memory, and the log waits until it can be followed again. */
function watchHealth({ health }: ServiceContext, { database, bus, follower }: Dependencies): void {
  const startedAt = Date.now();
  health.soft('database', () => (database.healthy() ? undefined : 'does not answer'));
  health.soft('nats', () => (bus.connected ? undefined : 'disconnected'));
  health.soft('chat', () => {
    const silentMs = Date.now() - Math.max(follower.syncedAt, startedAt);
    return silentMs > chatSilentMs ? `silent for ${Math.round(silentMs / 1_000)} s` : undefined;
  });
}
