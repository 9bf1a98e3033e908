import { openRoomRequestSchema, type FederationRoom } from '@boardwire/contracts';
import { Body, Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { administered } from './administered.ts';
import type { AdminParts } from './build-admin.ts';
import { adminToken } from './tokens.ts';

@Controller('/internal/v1/federation/rooms')
export class FederationRoomsController {
  constructor(@Inject(adminToken) private readonly admin: AdminParts) {}

  @Get()
  list(@Req() request: FastifyRequest): Promise<{ rooms: FederationRoom[] }> {
    return administered(request, async () => ({ rooms: await this.admin.rooms.all() }));
  }

  @Post()
  @HttpCode(201)
  open(
    @Req() request: FastifyRequest,
    @Body({ schema: openRoomRequestSchema }) wanted: z.output<typeof openRoomRequestSchema>,
  ): Promise<FederationRoom> {
    return administered(request, (actor) => this.admin.openRoom(wanted, actor));
  }
}
