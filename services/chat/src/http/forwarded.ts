import { decodeIdentity, internalHeaders, type ForwardedIdentity } from '@boardwire/contracts';
import { AppError, callerOf } from '@boardwire/service-kit';
import type { FastifyRequest } from 'fastify';
import type { Remover } from '../log/removals.ts';

/** Who stands behind a forwarded request; only the gateway can say that, for it has checked the token. */
export function identityOf(request: FastifyRequest): ForwardedIdentity | undefined {
  const header = request.headers[internalHeaders.identity];
  if (header === undefined) return undefined;
  if (callerOf(request) !== 'gateway')
    throw new AppError('forbidden', { detail: 'only the gateway forwards identities' });
  const identity = typeof header === 'string' ? decodeIdentity(header) : undefined;
  if (identity === undefined) throw new AppError('token_invalid', { detail: 'the forwarded identity is not readable' });
  return identity;
}

/** The address of the client behind a forwarded request. */
export function addressOf(request: FastifyRequest): string | undefined {
  const header = request.headers[internalHeaders.address];
  const address = typeof header === 'string' ? header : identityOf(request)?.address;
  return address?.slice(0, 64);
}

/** Who removes an event: somebody behind the gateway, or the calling service itself. */
export function removerOf(request: FastifyRequest): Remover {
  const identity = identityOf(request);
  if (identity === undefined) return { actor: callerOf(request), isAdministrator: true };
  return { actor: identity.userId, isAdministrator: identity.roles.includes('admin') };
}

/** Who acts: an administrator behind the gateway, or the calling service itself. */
export function administratorOf(request: FastifyRequest): string {
  const identity = identityOf(request);
  if (identity === undefined) return callerOf(request);
  if (!identity.roles.includes('admin')) throw new AppError('forbidden', { detail: 'only administrators do this' });
  return identity.userId;
}
