import { internalHeaders } from '@boardwire/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from './app-error.ts';
import type { ServiceContext } from './service-context.ts';

/** Tells a refused service token from a refused user token, which some internal routes answer with the same codes. */
export const serviceTokenRealm = 'Bearer realm="boardwire-internal"';

const bearer = /^Bearer ([\w.~+/=-]+)$/i;

/**
 * Lets nothing under `/internal/` be read without a service token for this service. Goes by the matched route, not by
 * the URL as sent, which has other spellings (`/%69nternal/…`), and runs before the body is read.
 */
export function guardInternalRoutes(fastify: FastifyInstance, { name, tokens }: ServiceContext): void {
  fastify.addHook('onRequest', async (request, reply) => {
    if (!isInternal(request)) return;
    const token = bearer.exec(request.headers.authorization ?? '')?.[1];
    reply.header('www-authenticate', serviceTokenRealm);
    if (token === undefined) throw new AppError('token_missing', { detail: 'a service token is needed' });
    const { caller } = await tokens.verify(token, name);
    request.caller = caller;
    reply.removeHeader('www-authenticate');
  });
}

/** The service that sent an internal request. */
export function callerOf(request: FastifyRequest): string {
  if (request.caller === undefined) throw new AppError('token_missing');
  return request.caller;
}

/** How long the caller will still wait, in milliseconds, as it said when it sent the request. */
export function deadlineMsOf(request: FastifyRequest): number | undefined {
  const value = Number(request.headers[internalHeaders.deadline]);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function isInternal(request: FastifyRequest): boolean {
  return request.routeOptions.url?.startsWith('/internal/') ?? false;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The service whose token came with an internal request. */
    caller?: string;
  }
}
