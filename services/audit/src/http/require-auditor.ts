import { forwardedIdentitySchema, internalHeaders, type ForwardedIdentity } from '@boardwire/contracts';
import { AppError, callerOf } from '@boardwire/service-kit';
import type { FastifyRequest } from 'fastify';

const mayRead = new Set(['auditor', 'admin']);

/** The reader whom the gateway has authenticated. Only its word counts: another service has no reader to speak for. */
export function requireAuditor(request: FastifyRequest): ForwardedIdentity {
  if (callerOf(request) !== 'gateway')
    throw new AppError('forbidden', { detail: 'the audit is read through the gateway' });
  const identity = identityOf(request.headers[internalHeaders.identity]);
  if (!identity.roles.some((role) => mayRead.has(role))) {
    throw new AppError('forbidden', { detail: 'the role auditor is needed' });
  }
  return identity;
}

function identityOf(header: string | string[] | undefined): ForwardedIdentity {
  if (typeof header !== 'string') throw new AppError('token_missing');
  try {
    return forwardedIdentitySchema.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new AppError('token_invalid', { detail: 'the forwarded identity cannot be read', cause });
  }
}
