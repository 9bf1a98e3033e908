import { limits, type ServiceStatus } from '@boardwire/contracts';
import type { DynamicModule, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { drainMs } from './config.ts';
import { closeHttp, createHttpApp, listen } from './http-app.ts';
import type { ProblemFilter } from './problem-filter.ts';
import type { ServiceContext } from './service-context.ts';
import { internalDocument } from './internal-document.ts';
import { guardInternalRoutes } from './service-token-guard.ts';

export interface InternalServerOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Positions by board for `GET /internal/v1/status`. */
  boards?: () => ServiceStatus['boards'] | Promise<ServiceStatus['boards']>;
  bodyBytesMax?: number;
  rawBodies?: readonly string[];
  keepRawBody?: boolean;
  /** Answers errors with another body than problem+json, such as a dialect's. */
  errors?: ProblemFilter;
  /** Puts routes beside the module's, with parsers and refusals of their own, before the server listens. */
  mount?: (fastify: FastifyInstance) => void;
}

export interface InternalServer {
  /** Without a slash at the end. */
  readonly url: string;
  readonly app: NestFastifyApplication;
  /** Stops accepting and ends what is in flight, within the drain time. */
  close(): Promise<void>;
}

/** A full append batch, with room for its envelope. */
const internalBodyBytesMax = 8 * limits.batchBytesMax;

/**
 * Starts a service's internal HTTP: the module's routes, `/livez`, `/readyz`, `/metrics`, `/internal/v1/status` and
 * `/internal/openapi.json`.
 * Everything under `/internal/` needs a service token.
 */
export async function startInternalServer(
  context: ServiceContext,
  module: Type | DynamicModule,
  options: InternalServerOptions,
): Promise<InternalServer> {
  const app = await createHttpApp(context, module, {
    server: 'internal',
    bodyBytesMax: options.bodyBytesMax ?? internalBodyBytesMax,
    ...(options.rawBodies === undefined ? {} : { rawBodies: options.rawBodies }),
    ...(options.keepRawBody === undefined ? {} : { keepRawBody: options.keepRawBody }),
    ...(options.errors === undefined ? {} : { errors: options.errors }),
  });
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  guardInternalRoutes(fastify, context);
  addOperatorRoutes(fastify, context, options);
  options.mount?.(fastify);
  const url = await listen(app, options.host, options.port);
  return { url, app, close: () => closeHttp(app, drainMs(context.config)) };
}

function addOperatorRoutes(fastify: FastifyInstance, context: ServiceContext, options: InternalServerOptions): void {
  const { health, metrics, supervisor, name } = context;
  // Alive while the event loop answers: a restart cures nothing else.
  fastify.get('/livez', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));
  fastify.get('/readyz', (_request, reply) => {
    const report = health.report();
    const isReady = report.status === 'ok' || report.status === 'degraded';
    return reply
      .code(isReady ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(report);
  });
  fastify.get('/metrics', async (_request, reply) => {
    const text = await metrics.registry.metrics();
    return reply.header('content-type', metrics.registry.contentType).send(text);
  });
  fastify.get('/internal/openapi.json', () => internalDocument(name, context.routes));
  fastify.get('/internal/v1/status', async (): Promise<ServiceStatus> => {
    const boards = await (options.boards?.() ?? []);
    const loops = supervisor.status();
    return { service: name, ...health.report(), loops, boards, queues: metrics.queueDepths() };
  });
}
