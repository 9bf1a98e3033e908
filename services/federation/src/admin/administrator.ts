import { decodeIdentity, internalHeaders } from '@boardwire/contracts';
import { AppError, callerOf } from '@boardwire/service-kit';
import type { FastifyRequest } from 'fastify';

/** The administrator behind a request, by id. Only the gateway's word counts: it has checked the token. */
export function administratorOf(request: FastifyRequest): string {
  if (callerOf(request) !== 'gateway') {
    throw new AppError('forbidden', { detail: 'federation is administered through the gateway' });
  }
  const header = request.headers[internalHeaders.identity];
  if (header === undefined) throw new AppError('token_missing');
  const identity = typeof header === 'string' ? decodeIdentity(header) : undefined;
  if (identity === undefined) throw new AppError('token_invalid', { detail: 'the forwarded identity is not readable' });
  if (!identity.roles.includes('admin')) throw new AppError('forbidden', { detail: 'only administrators do this' });
  return identity.userId;
}
