import {
  forwardedPath,
  internalHeaders,
  problemMediaType,
  routeTable,
  type InternalService,
  type RouteOwner,
} from '@boardwire/contracts';
import { AppError, type InternalResponse } from '@boardwire/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import type { Gateway } from '../gateway.ts';
import type { Access } from '../rights/access.ts';
import { boundedBody } from './bounded-body.ts';
import { authenticate } from './door.ts';
import { accountIdentity } from './identity.ts';
import { watchForward } from './watch-forward.ts';

type Owner = Exclude<InternalService, 'gateway'>;

/** All that the owner needs to know of a request; everything else, above all internal headers, stays here. */
const passedOn = [
  'content-type',
  'accept',
  'accept-language',
  'if-none-match',
  'idempotency-key',
  'user-agent',
  'last-event-id',
];
/** All of an answer that is meant for the client; hop-by-hop headers are each connection's own. */
const passedBack = [
  'content-type',
  'content-disposition',
  'cache-control',
  'etag',
  'last-modified',
  'link',
  'location',
  'allow',
  'retry-after',
  'vary',
  'www-authenticate',
];
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
/** Someone who signs in may still send a token that has run out. */
const signInPath = /^\/v1\/auth\/(?:register|login|guest|refresh)$/;
/** To the headers of the answer. Its body may take as long as it moves. */
const timeoutMs = 10_000;
const idleMs = 60_000;

/** Passes the paths of the route table on to their owners. */
export function forwardRoutes(fastify: FastifyInstance, gateway: Gateway): void {
  for (const route of routeTable) {
    const { owner } = route;
    if (route.forwardTo === undefined || owner === 'gateway' || owner === 'console') continue;
    const handler = (request: FastifyRequest, reply: FastifyReply) => forward(gateway, route, owner, request, reply);
    for (const url of pathsOf(route)) {
      fastify.route({ method: [...methods], url, handler, exposeHeadRoute: false });
    }
  }
}

function pathsOf({ prefix, isExact }: RouteOwner): string[] {
  if (isExact === true) return [prefix];
  return prefix.endsWith('/') ? [`${prefix}*`] : [prefix, `${prefix}/*`];
}

async function forward(
  gateway: Gateway,
  route: RouteOwner,
  owner: Owner,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const [path, query] = splitOnce(request.raw.url ?? '/', '?');
  const target = forwardedPath(route, path);
  if (target === undefined) throw new AppError('not_found');
  const access = await accessFor(gateway, route, path, request);
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const answer = await gateway.clients[owner].forward({
    method: request.method as (typeof methods)[number],
    path: query === undefined ? target : `${target}?${query}`,
    route: route.prefix,
    headers: headersFor(request, access),
    ...(request.rawBody === undefined || request.rawBody.length === 0 ? {} : { body: request.rawBody }),
    timeoutMs,
    signal: gone.signal,
  });
  setHead(answer, owner, reply);
  if (answer.statusCode === 204 || answer.statusCode === 304) {
    answer.body.destroy();
    return reply.send();
  }
  // Given as a text, so that it can be put into the words of the path's own wire.
  if (route.errors !== 'problem' && isProblem(answer)) return reply.send(await answer.body.text());
  const body = boundedBody(answer.body, idleMs);
  if (access !== undefined) watchLong(gateway, access, answer, body);
  return reply.send(body);
}

/** The bearer, when there is one; undefined where the route doesn't need one. */
async function accessFor(
  gateway: Gateway,
  route: RouteOwner,
  path: string,
  request: FastifyRequest,
): Promise<Access | undefined> {
  if (route.access === 'public') {
    if (request.headers.authorization === undefined || signInPath.test(path)) return undefined;
  }
  return authenticate(gateway, request);
}

function headersFor(request: FastifyRequest, access: Access | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of passedOn) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  // Behind the proxies that the configuration names, the client's.
  const address = request.ip;
  headers[internalHeaders.address] = address;
  if (access !== undefined) headers[internalHeaders.identity] = accountIdentity(access, address);
  return headers;
}

function isProblem({ headers }: InternalResponse): boolean {
  return String(headers['content-type'] ?? '').startsWith(problemMediaType);
}

/** Streams and files may go on for long after the reader's rights were looked at. */
function watchLong(gateway: Gateway, access: Access, { headers }: InternalResponse, body: Readable): void {
  const isEndless = String(headers['content-type'] ?? '').startsWith('text/event-stream');
  if (isEndless || headers['content-disposition'] !== undefined) watchForward(gateway, access, body, { isEndless });
}

function setHead(answer: InternalResponse, owner: Owner, reply: FastifyReply): void {
  // Services refuse each other with a realm of their own: that is our fault, never the client's.
  if (String(answer.headers['www-authenticate'] ?? '').includes('boardwire-internal')) {
    answer.body.destroy();
    throw new Error(`${owner} refused our service token`);
  }
  for (const name of passedBack) {
    const value = answer.headers[name];
    if (value !== undefined) reply.header(name, value);
  }
  reply.code(answer.statusCode);
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
