import {
  ticketRequestSchema,
  ticketUseRequestSchema,
  type TicketAnswer,
  type TicketRequest,
  type TicketUseAnswer,
  type TicketUseRequest,
} from '@boardwire/contracts';
import { AppError, callerOf } from '@boardwire/service-kit';
import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Tickets } from '../tickets/tickets.ts';
import { identityOf } from './forwarded.ts';
import { tokens } from './tokens.ts';

@Controller('/internal/v1/stream-tickets')
export class TicketsController {
  constructor(@Inject(tokens.tickets) private readonly tickets: Tickets) {}

  @Post()
  @HttpCode(201)
  issue(
    @Req() request: FastifyRequest,
    @Body({ schema: ticketRequestSchema }) wanted: TicketRequest,
  ): Promise<TicketAnswer> {
    const identity = identityOf(request);
    if (identity === undefined) throw new AppError('token_missing');
    return this.tickets.issue(wanted, identity.sessionId);
  }

  @Post('use')
  @HttpCode(200)
  use(
    @Req() request: FastifyRequest,
    @Body({ schema: ticketUseRequestSchema }) use: TicketUseRequest,
  ): Promise<TicketUseAnswer> {
    if (callerOf(request) !== 'gateway') throw new AppError('forbidden', { detail: 'only gateways use tickets' });
    return this.tickets.use(use);
  }
}
