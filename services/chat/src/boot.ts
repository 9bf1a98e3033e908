import { openDatabase, type Database } from '@boardwire/database';
import { connectBus, type Bus } from '@boardwire/messaging';
import {
  createContext,
  runningService,
  startInternalServer,
  watchDatabase,
  watchDisk,
  type Boot,
  type ServiceContext,
} from '@boardwire/service-kit';
import { bounds } from './bounds.ts';
import { buildChat, prepareChat, type ChatDependencies, type ChatParts } from './chat-parts.ts';
import { ChatModule } from './chat.module.ts';
import { readChatConfig } from './config.ts';
import { migrations } from './migrations/migrations.ts';
import { housekeep } from './site/housekeeping.ts';

/** Starts the chat service: boards and their logs, accounts and sessions. */
export const boot: Boot = async (env) => {
  const config = readChatConfig(env);
  const context = createContext('chat', config);
  const { logger } = context;
  const database = await openDatabase({
    url: config.DATABASE_URL,
    schema: 'chat',
    migrations,
    migrate: config.MIGRATIONS,
    poolMax: config.DATABASE_POOL_MAX,
    logger,
  });
  watchDatabase(context.metrics, database);
  if (config.DATA_DISK_PATH !== undefined) watchDisk(context.metrics, config.DATA_DISK_PATH);
  const bus = await connectBus({
    url: config.NATS_URL,
    token: config.NATS_TOKEN,
    streamReplicas: config.NATS_REPLICAS,
    name: 'chat',
    logger,
  });
  const dependencies: ChatDependencies = { context, config, database, bus };
  const parts = buildChat(dependencies);
  await prepareChat(parts, dependencies);
  const server = await startInternalServer(context, ChatModule.over(parts), {
    host: config.HOST,
    port: config.INTERNAL_PORT,
    boards: () => parts.watch.all().map(({ slug, head, relayed }) => ({ board: slug, head, relayed })),
  });
  watchDependencies(context, { database, bus, parts });
  startLoops(context, database, parts);
  logger.info({ event: 'service.started', url: server.url });
  return runningService(context, { internalUrl: server.url }, [
    { name: 'http', run: () => server.close() },
    { name: 'append', run: () => parts.appendLog.close() },
    { name: 'hints', run: () => parts.hints.close() },
    { name: 'loops', run: () => context.supervisor.stop() },
    { name: 'clients', run: () => closeClients(parts) },
    { name: 'bus', run: () => bus.close() },
    { name: 'database', run: () => database.close() },
  ]);
};

function startLoops({ supervisor, health, logger }: ServiceContext, database: Database, parts: ChatParts): void {
  const everySecond = { beatEveryMs: 1_000 };
  supervisor.run('board-watch', everySecond, (loop) => parts.watch.run(loop));
  supervisor.run('rights-watch', everySecond, (loop) => parts.control.run(loop));
  supervisor.run('sync', everySecond, (loop) => parts.sync.run(loop));
  supervisor.run('relay', everySecond, (loop) => parts.relay.run(loop));
  const { delivery } = parts;
  if (delivery !== undefined) supervisor.run('decisions', everySecond, (loop) => delivery.run(loop));
  parts.hints.listen({ onAppended: () => parts.watch.poke(), onRightsChanged: () => parts.control.poke() });
  health.starting('the site has no identity yet');
  supervisor.run('identity', everySecond, async (loop) => {
    await parts.identity.learn(loop);
    if (!loop.signal.aborted) health.ready();
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- done; but a loop lives as long as the service
      await loop.idle(1_000);
    }
  });
  supervisor.run('retention', everySecond, (loop) => parts.retention.run(loop));
  supervisor.run('housekeeping', everySecond, (loop) =>
    housekeep(
      {
        database,
        sessions: parts.sessions,
        tickets: parts.ticketStore,
        deleted: parts.deleted,
        removals: parts.removals,
        logger,
      },
      loop,
    ),
  );
}

function watchDependencies(
  { health }: ServiceContext,
  { database, bus, parts }: { database: Database; bus: Bus; parts: ChatParts },
): void {
  health.hard('postgres', () => (database.healthy() ? undefined : 'not reachable'));
  health.soft('nats', () => (bus.connected ? undefined : 'not connected'));
  health.soft('relay', () => {
    const { lagMs, backlog } = parts.relay;
    return lagMs > bounds.relayLagSoftMs ? `${backlog} events behind for ${Math.round(lagMs / 1_000)} s` : undefined;
  });
}

async function closeClients({ federation, audit }: ChatParts): Promise<void> {
  await federation.close();
  await audit?.close();
}
