import { coreSubjects, ticketUseSchema } from '@boardwire/contracts';
import { chatLogOver, type BoardFollower } from '@boardwire/follower';
import { connectBus, type Bus } from '@boardwire/messaging';
import {
  closeHttp,
  createContext,
  drainMs,
  listen,
  readConfig,
  startInternalServer,
  startService,
  type Environment,
  type Loop,
  type RunningService,
} from '@boardwire/service-kit';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { gatewayConfig } from './config.ts';
import { drainConnections } from './connections/drain.ts';
import { createGateway, type CreatedGateway } from './create-gateway.ts';
import type { Gateway } from './gateway.ts';
import { InternalHttpModule } from './http/internal-http.module.ts';
import { createPublicApp } from './http/public-app.ts';
import { followBoards } from './intake/follow-boards.ts';
import { startGossip } from './presence/gossip/start-gossip.ts';
import { SocketServer } from './ws/socket-server.ts';

const chatSilentMaxMs = 10_000;

/** Starts the edge: the internal port, the intake, then the public port once boards and keys are known. */
export async function boot(env: Environment): Promise<RunningService> {
  const config = readConfig(gatewayConfig, env);
  const context = createContext('gateway', config);
  return startService(context, async (onStop) => {
    const { NATS_URL: url, NATS_TOKEN: token } = config;
    const bus = await connectBus({ url, token, name: 'gateway', logger: context.logger });
    onStop('bus', () => bus.close());
    let follower: BoardFollower | undefined;
    const created = createGateway(context, config, {
      isStreaming: () => follower?.isStreaming ?? false,
      syncedAt: () => follower?.syncedAt ?? 0,
    });
    const { gateway } = created;
    gateway.ephemerals.attach(bus);
    listenForTickets(gateway, bus);
    gateway.typing.attach(bus);
    for (const [name, client] of Object.entries(gateway.clients)) onStop(`${name} client`, () => client.close());
    onStop('peers client', () => gateway.federation.close());
    follower = followBoards({ ...created, bus, chat: chatLogOver(gateway.clients.chat) });
    const server = await startInternalServer(context, InternalHttpModule.with(gateway), {
      host: config.HOST,
      port: config.INTERNAL_PORT,
      boards: () => boardStatus(gateway, follower!),
    });
    onStop('internal http', () => server.close());
    watchHealth(gateway, { bus, follower });
    let isListening = false;
    runLoops(created, follower, () => isListening);
    onStop('loops', () => context.supervisor.stop());
    onStop('follower', () => follower.stop());
    const gossip = startGossip(gateway, bus);
    onStop('presence', () => gossip.stop());
    onStop('typing', () => gateway.typing.stop());
    onStop('decisions', () => gateway.decisions.flush());
    onStop('timers', () => stopTimers(created));

    const sockets = new SocketServer(gateway);
    const app = await createPublicApp(gateway);
    sockets.attach(app.getHttpServer());
    const listened = await listen(app, config.PUBLIC_HOST, config.PORT);
    isListening = true;
    onStop('public http', () => closePublic(app, gateway));
    onStop('peer streams', () => gateway.federation.drain());
    onStop('connections', () => drainConnections(gateway.desk, drainMs(config)));
    return { internalUrl: server.url, publicUrl: config.PUBLIC_URL ?? listened };
  });
}

function runLoops(
  { gateway, keys, heartbeats }: CreatedGateway,
  follower: BoardFollower,
  isListening: () => boolean,
): void {
  const { context, decisions, stalls, budget, desk } = gateway;
  follower.start();
  heartbeats.start();
  desk.connections.start();
  context.supervisor.run('decisions', { beatEveryMs: 1_000 }, (loop) => decisions.run(loop));
  context.supervisor.run('watch', { beatEveryMs: 500 }, async (loop: Loop) => {
    while (!loop.signal.aborted) {
      stalls.look();
      budget.look();
      // oxlint-disable-next-line no-await-in-loop -- twice a second
      if (!keys.isLoaded) await loop.idle(1_000, keys.load());
      // Whoever is sent here because it is ready must find the public port open.
      const isReady = keys.isLoaded && follower.syncedAt > 0 && gateway.rights.isComplete && isListening();
      if (isReady) context.health.ready();
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(isReady ? 500 : 50);
    }
  });
}

/** A ticket was used on some pod: an older stream of it ends. Its chat counts the uses. */
function listenForTickets({ ticketStreams }: Gateway, bus: Bus): void {
  bus.subscribe(coreSubjects.ticketUsed, ({ data }) => {
    const use = ticketUseSchema.safeParse(parseJson(data)).data;
    if (use !== undefined) ticketStreams.used(use);
  });
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString()) as unknown;
  } catch {
    return undefined;
  }
}

function stopTimers({ gateway, heartbeats }: CreatedGateway): void {
  heartbeats.stop();
  gateway.desk.connections.stop();
}

/** What the drain left open is cut: an open WebSocket would hold up the server's close. */
async function closePublic(app: NestFastifyApplication, gateway: Gateway): Promise<void> {
  gateway.desk.connections.endAll('drain');
  await closeHttp(app, Math.min(1_000, drainMs(gateway.config)));
}

function watchHealth({ context, controlSilentMs }: Gateway, { bus }: { bus: Bus; follower: BoardFollower }): void {
  const { health } = context;
  health.starting('boards and keys are not known yet');
  health.hard('chat', () => {
    const silentMs = controlSilentMs();
    return silentMs > chatSilentMaxMs ? `silent for ${Math.round(silentMs / 1_000)} s` : undefined;
  });
  health.soft('nats', () => (bus.connected ? undefined : 'disconnected'));
}

function boardStatus({ presence }: Gateway, follower: BoardFollower) {
  return follower.boards().map(({ board, head, last }) => ({
    board,
    head,
    position: last,
    subscribers: presence.own.subscribers(board),
  }));
}
