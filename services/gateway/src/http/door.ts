import type { TicketUse, TicketUseRequest } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { FastifyRequest } from 'fastify';
import type { Gateway } from '../gateway.ts';
import type { Access } from '../rights/access.ts';
import { bearerToken } from '../rights/bearer-token.ts';
import { TicketStreams } from '../rights/ticket-streams.ts';

/** Without chat for this long, a revocation could be unknown here: no new subscription is opened. */
const controlSilentMaxMs = 5_000;

/** Who stands behind a request. @throws AppError with status 401. */
export function authenticate(gateway: Gateway, request: FastifyRequest): Promise<Access> {
  return gateway.verifier.verify(bearerToken(request.headers.authorization));
}

/** Who opens a stream: the bearer of a token, or whoever a ticket stands for. */
export interface StreamBearer {
  access: Access;
  /** Absent for a token. */
  ticket?: TicketUse;
}

/** @throws AppError; of a ticket none that a browser could not come back from unless it is refused for good. */
export async function redeemTicket(
  gateway: Gateway,
  request: { authorization?: string | undefined },
  use: TicketUseRequest,
): Promise<StreamBearer> {
  if (request.authorization !== undefined) throw new AppError('invalid', { detail: 'a token or a ticket, not both' });
  // Before it counts as a use.
  assertMayRead(gateway);
  const { access, use: count } = await gateway.tickets.redeem(use);
  gateway.verifier.assertStands(access);
  return { access, ticket: { ticket: TicketStreams.hashOf(use.ticket), use: count } };
}

/** Whether a subscription may be opened now. @throws AppError that a return later can mend. */
export function assertMayRead(gateway: Gateway): void {
  const { status } = gateway.context.health.report();
  // Balancers go on sending people here for a moment after readiness is gone.
  if (gateway.desk.isClosed) throw new AppError('draining');
  if (status === 'starting') throw new AppError('starting');
  if (gateway.controlSilentMs() > controlSilentMaxMs) {
    throw new AppError('upstream_unavailable', { detail: 'revocations can’t be known at the moment' });
  }
}

/** Whether someone may open a further connection that stays. @throws AppError that a return later can mend. */
export function assertMayStay(gateway: Gateway, access: Access): void {
  assertMayRead(gateway);
  // What was waited for since the token was looked at may have taken a second.
  gateway.verifier.assertStands(access);
  if (!gateway.desk.connections.isFull(access)) return;
  gateway.metrics.rateLimited('connections');
  gateway.decisions.report({ action: 'connection.open', outcome: 'refused', actor: access.userId });
  throw new AppError('rate_limited', { detail: 'too many open connections', retryAfterMs: 5_000 });
}
