import { peerDecisionRequestSchema, peerDecisions, type FederationPeer } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { administered } from './administered.ts';
import type { AdminParts } from './build-admin.ts';
import { adminToken } from './tokens.ts';

@Controller('/internal/v1/federation/peers')
export class PeersController {
  constructor(@Inject(adminToken) private readonly admin: AdminParts) {}

  @Get()
  list(@Req() request: FastifyRequest): Promise<{ peers: FederationPeer[] }> {
    return administered(request, async () => ({ peers: await this.admin.peers.all() }));
  }

  @Get(':site')
  read(@Req() request: FastifyRequest, @Param('site') site: string): Promise<FederationPeer> {
    return administered(request, () => this.admin.peers.one(site));
  }

  /** Without a body a decision has no reason. */
  @Post(':site/:decision')
  @HttpCode(200)
  decide(
    @Req() request: FastifyRequest,
    @Param('site') site: string,
    @Param('decision') name: string,
    @Body() body: unknown,
  ): Promise<FederationPeer> {
    return administered(request, async (actor) => {
      const decision = peerDecisions.find((known) => known === name);
      if (decision === undefined) throw new AppError('not_found', { detail: 'no such decision' });
      const wanted = peerDecisionRequestSchema.parse(body ?? {});
      await this.admin.decisions.decide(site, decision, { actor, request: wanted });
      return this.admin.peers.one(site);
    });
  }
}
