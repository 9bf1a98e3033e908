import { limits } from '@boardwire/contracts';
import { dialects } from '@boardwire/dialects';
import { createHttpApp } from '@boardwire/service-kit';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { mountDialects } from '../dialects/mount-dialects.ts';
import { mountDocuments } from '../documents/mount-documents.ts';
import type { Gateway } from '../gateway.ts';
import { takeBinaryBodies } from '../publish/binary-mode.ts';
import { SocketServer } from '../ws/socket-server.ts';
import { ConsoleFiles } from './console-files.ts';
import { addCors } from './cors.ts';
import { forwardRoutes } from './forward.ts';
import { GatewayHttpModule } from './gateway-http.module.ts';
import { paceStreams } from './pace-streams.ts';
import { addRefusalBodies } from './refusal-bodies.ts';

/** The public port with all its routes; it doesn't listen yet. */
export async function createPublicApp(gateway: Gateway): Promise<NestFastifyApplication> {
  const { context, config } = gateway;
  const app = await createHttpApp(context, GatewayHttpModule.with(gateway), {
    server: 'public',
    bodyBytesMax: limits.batchBytesMax,
    keepRawBody: true,
    headersTimeoutMs: config.HEADERS_TIMEOUT_MS,
    bodyTimeoutMs: config.BODY_TIMEOUT_MS,
    trustedProxies: config.TRUSTED_PROXIES,
  });
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  paceStreams(fastify.server, gateway.pace);
  addCors(fastify, config.CORS_ORIGINS);
  addRefusalBodies(fastify);
  takeBinaryBodies(fastify);
  forwardRoutes(fastify, gateway);
  gateway.federation.mount(fastify);
  mountDialects(
    fastify,
    gateway,
    dialects.flatMap(({ streams }) => streams),
  );
  mountDocuments(fastify);
  SocketServer.mountPlainRoute(fastify);
  (await ConsoleFiles.load(config.CONSOLE_DIR)).mount(fastify);
  return app;
}
