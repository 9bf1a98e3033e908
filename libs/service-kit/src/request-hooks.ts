import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from './app-error.ts';
import { correlationOf, newCorrelation, withCorrelation } from './correlation.ts';
import { RouteMethods } from './route-methods.ts';
import type { ServiceContext } from './service-context.ts';

/** Replies of these types last as long as a connection; their time says nothing about a handler. */
const streamTypes = /^(?:text\/event-stream|application\/x-ndjson)/;

/** What happens around every request: correlation, wrong paths and methods, time. */
export function addRequestHooks(fastify: FastifyInstance, context: ServiceContext, server: string): void {
  const methods = new RouteMethods();
  methods.watch(fastify);
  fastify.addHook('onRequest', (request, _reply, done) => {
    withCorrelation(correlationOf(headerOf(request, 'traceparent')) ?? newCorrelation(), done);
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.is404) answerUnknownRoute(request, reply, methods.allowed(pathOf(request)));
    else
      done(hasBadQuery(request) ? new AppError('malformed', { detail: 'the query is not well encoded' }) : undefined);
  });
  observeTime(fastify, context, server);
}

/** Before the body is read: nobody needs to send one to a place that doesn't exist. */
function answerUnknownRoute(request: FastifyRequest, reply: FastifyReply, allowed: string[]): void {
  if (allowed.length === 0) throw new AppError('not_found', { detail: 'no such route' });
  reply.header('allow', allowed.join(', '));
  if (request.method !== 'OPTIONS') throw new AppError('method_not_allowed');
  void reply.code(204).send();
}

function observeTime(fastify: FastifyInstance, { metrics }: ServiceContext, server: string): void {
  const seconds = metrics.histogram('http_seconds', 'Time to answer an HTTP request.', [
    'server',
    'method',
    'route',
    'code',
  ]);
  fastify.addHook('onResponse', (request, reply, done) => {
    if (!streamTypes.test(String(reply.raw.getHeader('content-type') ?? ''))) {
      const route = request.routeOptions.url ?? 'unknown';
      // Node's parser knows 34 methods; those without a route must not become 34 label values.
      const method = route === 'unknown' ? 'any' : request.method;
      seconds.observe({ server, method, route, code: reply.raw.statusCode }, reply.elapsedTime / 1_000);
    }
    done();
  });
}

/** `%` without two hexadecimal digits, or bytes that are no UTF-8. Fastify would pass them on undecoded. */
function hasBadQuery(request: FastifyRequest): boolean {
  const { url = '' } = request.raw;
  const query = url.indexOf('?');
  if (query < 0 || !url.includes('%', query)) return false;
  try {
    decodeURIComponent(url.slice(query + 1));
    return false;
  } catch {
    return true;
  }
}

function pathOf(request: FastifyRequest): string {
  const path = request.url.split('?', 1)[0] ?? '/';
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
