import {
  acceptInvitationRequestSchema,
  inviteRequestSchema,
  type AcceptInvitationRequest,
  type FederationPeer,
  type InviteAnswer,
  type OpenInvitation,
} from '@boardwire/contracts';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { administered } from './administered.ts';
import type { AdminParts } from './build-admin.ts';
import { adminToken } from './tokens.ts';

@Controller('/internal/v1/federation/invitations')
export class InvitationsController {
  constructor(@Inject(adminToken) private readonly admin: AdminParts) {}

  @Get()
  list(@Req() request: FastifyRequest): Promise<{ invitations: OpenInvitation[] }> {
    return administered(request, async () => ({ invitations: await this.admin.invitations.open() }));
  }

  @Post()
  @HttpCode(201)
  invite(
    @Req() request: FastifyRequest,
    @Body({ schema: inviteRequestSchema }) wanted: z.output<typeof inviteRequestSchema>,
  ): Promise<InviteAnswer> {
    return administered(request, (actor) => this.admin.invitations.create(wanted, actor));
  }

  @Delete(':id')
  @HttpCode(204)
  withdraw(@Req() request: FastifyRequest, @Param('id') id: string): Promise<void> {
    return administered(request, (actor) => this.admin.invitations.withdraw(id, actor));
  }

  /** The handshake goes on by itself; the peer's state tells how it goes. */
  @Post('accept')
  @HttpCode(202)
  accept(
    @Req() request: FastifyRequest,
    @Body({ schema: acceptInvitationRequestSchema }) wanted: AcceptInvitationRequest,
  ): Promise<FederationPeer> {
    return administered(request, async (actor) => this.admin.peers.one(await this.admin.accept(wanted, actor)));
  }
}
