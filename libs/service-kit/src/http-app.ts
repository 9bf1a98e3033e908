import 'reflect-metadata';
import type { Server } from 'node:http';
import { limits } from '@boardwire/contracts';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { appErrorFrom } from './app-error-from.ts';
import { AppError } from './app-error.ts';
import { answerClientError, answerOddRequests } from './client-errors.ts';
import { addJsonBody, addRawBody } from './json-body.ts';
import { nestLogger } from './logger.ts';
import { ProblemFilter } from './problem-filter.ts';
import { replyProblem } from './problem-reply.ts';
import { addRequestHooks } from './request-hooks.ts';
import { SchemaPipe } from './schema-pipe.ts';
import type { ServiceContext } from './service-context.ts';

export interface HttpOptions {
  /** Label of this server in `boardwire_http_seconds{server}`: `internal` or `public`. */
  server: 'internal' | 'public';
  bodyBytesMax: number;
  /** Media types whose bodies the handler gets as a Buffer. */
  rawBodies?: readonly string[];
  /** Keeps a JSON body's bytes in `request.rawBody` as well. */
  keepRawBody?: boolean;
  /** How long a client may take to send its headers, and all of its request. */
  headersTimeoutMs?: number;
  bodyTimeoutMs?: number;
  /** Proxies whose `X-Forwarded-For` names the client; none by default. */
  trustedProxies?: readonly string[];
  /** Answers errors with another body than problem+json, such as a dialect's. */
  errors?: ProblemFilter;
}

const listenBacklog = 4_096;
/** How often Node looks for requests that are past their deadline; its own 30 s would make our 10 s mean 40. */
const deadlineCheckMs = 1_000;
/** Longer than a client keeps an idle connection (see InternalClient), so that the client is the one to close it. */
const keepAliveMs = 72_000;

/** A Nest application on Fastify with the same bounds, hooks, validation and error bodies everywhere. */
export async function createHttpApp(
  context: ServiceContext,
  module: Type | DynamicModule,
  options: HttpOptions,
): Promise<NestFastifyApplication> {
  const adapter = httpAdapter(options);
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  addJsonBody(fastify, { keepRawBody: options.keepRawBody ?? false });
  addRawBody(fastify, options.rawBodies ?? []);
  context.routes.watch(fastify, options.server);
  addRequestHooks(fastify, context, options.server);
  answerOddRequests(fastify.server);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    logger: nestLogger(context.logger),
    abortOnError: false,
  });
  configureHttp(context, app, options.errors);
  return app;
}

/** The error filter and the validation pipe of every Boardwire application. */
export function configureHttp(context: ServiceContext, app: NestFastifyApplication, errors?: ProblemFilter): void {
  app.useGlobalFilters(errors ?? new ProblemFilter(context.logger));
  app.useGlobalPipes(new SchemaPipe());
}

/** Listens and tells the real address, also when the port was 0 or the host a wildcard. */
export async function listen(app: NestFastifyApplication, host: string, port: number): Promise<string> {
  await app.init();
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  await fastify.listen({ host, port, backlog: listenBacklog });
  const address = fastify.server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address after listen');
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${address.port}`;
}

/** Stops accepting, lets requests in flight end for a while, then cuts what is left. */
export async function closeHttp(app: NestFastifyApplication, graceMs: number): Promise<void> {
  const server = app.getHttpServer() as Server;
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
    clearInterval(idle);
  }
}

function httpAdapter(options: HttpOptions): FastifyAdapter {
  const { bodyBytesMax, headersTimeoutMs, bodyTimeoutMs, trustedProxies = [] } = options;
  return new FastifyAdapter({
    bodyLimit: bodyBytesMax,
    ...(trustedProxies.length === 0 ? {} : { trustProxy: [...trustedProxies] }),
    // A subject in a path is at most 255 bytes, each at most `%XX`, twice encoded at worst.
    routerOptions: { maxParamLength: 2_048 },
    logController: new LogController({ disableRequestLogging: true }),
    return503OnClosing: false,
    keepAliveTimeout: keepAliveMs,
    requestTimeout: bodyTimeoutMs ?? limits.bodyTimeoutMs,
    http: {
      headersTimeout: headersTimeoutMs ?? limits.headersTimeoutMs,
      connectionsCheckingInterval: deadlineCheckMs,
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error: unknown, _request: FastifyRequest, reply: FastifyReply) =>
      replyProblem(reply, appErrorFrom(error) ?? new AppError('malformed')),
  });
}
