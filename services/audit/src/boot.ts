import { connectBus } from '@boardwire/messaging';
import {
  createContext,
  InternalClient,
  runningService,
  startInternalServer,
  watchDatabase,
  type Boot,
  type ServiceContext,
} from '@boardwire/service-kit';
import type { Database } from '@boardwire/database';
import type { Bus } from '@boardwire/messaging';
import { AuditModule } from './audit.module.ts';
import { buildAudit, type AuditParts } from './audit-parts.ts';
import { readAuditConfig } from './config.ts';
import { openAuditDatabase } from './database/open-audit-database.ts';

/** Starts the audit service: the tamper-evident log of every event and decision. */
export const boot: Boot = async (env) => {
  const config = readAuditConfig(env);
  const context = createContext('audit', config);
  const { logger } = context;
  const { database, retentionRole } = await openAuditDatabase({
    url: config.DATABASE_URL,
    ownerUrl: config.DATABASE_OWNER_URL,
    migrate: config.MIGRATIONS,
    poolMax: config.DATABASE_POOL_MAX,
    logger,
  });
  watchDatabase(context.metrics, database);
  const bus = await connectBus({
    url: config.NATS_URL,
    name: 'audit',
    logger,
    token: config.NATS_TOKEN,
    streamReplicas: config.NATS_REPLICAS,
  });
  const chat = new InternalClient({ context, service: 'chat', baseUrl: config.CHAT_URL });
  const parts = await buildAudit({ context, config, database, retentionRole, bus, chat });
  const server = await startInternalServer(context, AuditModule.over(parts), {
    host: config.HOST,
    port: config.INTERNAL_PORT,
    boards: () => parts.follower.boards().map(({ board, head, last }) => ({ board, head, position: last })),
  });
  parts.start();
  watchDependencies(context, { database, bus, parts });
  context.health.ready();
  logger.info({ event: 'service.started', url: server.url });
  return runningService(context, { internalUrl: server.url }, [
    { name: 'tails', run: () => parts.endTails() },
    { name: 'http', run: () => server.close() },
    { name: 'log', run: () => parts.stop() },
    { name: 'loops', run: () => context.supervisor.stop() },
    { name: 'chat client', run: () => chat.close() },
    { name: 'bus', run: () => bus.close() },
    { name: 'database', run: () => database.close() },
  ]);
};

const chatSilentMs = 5_000;

function watchDependencies(
  { health }: ServiceContext,
  { database, bus, parts }: { database: Database; bus: Bus; parts: AuditParts },
): void {
  health.hard('postgres', () => (database.healthy() ? undefined : 'not reachable'));
  health.soft('log', () => (parts.scrub.findings.length === 0 ? undefined : 'damage was found'));
  health.soft('nats', () => (bus.connected ? undefined : 'not connected'));
  // A replica that has never led doesn't ask chat.
  health.soft('chat', () => {
    const { syncedAt } = parts.follower;
    return syncedAt === 0 || Date.now() - syncedAt < chatSilentMs ? undefined : 'no answer to sync';
  });
}
