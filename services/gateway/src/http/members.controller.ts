import {
  internalHeaders,
  memberListSchema,
  membershipSchema,
  memberUserIdSchema,
  setMembershipSchema,
  type MemberList,
  type Membership,
} from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { GATEWAY, type Gateway } from '../gateway.ts';
import { isAdmin, type Access } from '../rights/access.ts';
import { knownSlug } from './boards.controller.ts';
import { authenticate } from './door.ts';
import { accountIdentity } from './identity.ts';
import { parseMemberQuery } from './query.ts';

const listRoute = '/internal/v1/boards/{board}/members';
const memberRoute = `${listRoute}/{userId}`;

/** Who reaches which `members` subjects of a board: for administrators, and for each person about themselves. */
@Controller('/v1/boards/:board/members')
export class MembersController {
  readonly #gateway: Gateway;

  constructor(@Inject(GATEWAY) gateway: Gateway) {
    this.#gateway = gateway;
  }

  @Get()
  async list(
    @Req() request: FastifyRequest,
    @Param('board') board: string,
    @Query() query: unknown,
  ): Promise<MemberList> {
    const access = await this.#admin(request);
    const { after, limit } = parseMemberQuery(query);
    const path = `${pathOf(board)}?limit=${limit}&after=${encodeURIComponent(after)}`;
    const headers = headersOf(access);
    return this.#gateway.clients.chat.request({
      method: 'GET',
      path,
      route: listRoute,
      headers,
      schema: memberListSchema,
    });
  }

  @Get(':userId')
  async read(
    @Req() request: FastifyRequest,
    @Param('board') board: string,
    @Param('userId') userId: string,
  ): Promise<Membership> {
    const access = await authenticate(this.#gateway, request);
    if (access.userId !== userId) await this.#admin(request);
    return this.#ask('GET', { board, userId, access });
  }

  @Put(':userId')
  async set(
    @Req() request: FastifyRequest,
    @Param('board') board: string,
    @Param('userId') userId: string,
    @Body() body: unknown,
  ): Promise<Membership> {
    const access = await this.#admin(request);
    return this.#ask('PUT', { board, userId, access, body: setMembershipSchema.parse(body) });
  }

  @Delete(':userId')
  @HttpCode(204)
  async end(
    @Req() request: FastifyRequest,
    @Param('board') board: string,
    @Param('userId') userId: string,
  ): Promise<void> {
    const access = await this.#admin(request);
    await this.#ask('PUT', { board, userId, access, body: { subjects: [] } });
  }

  #ask(method: 'GET' | 'PUT', { board, userId, access, body }: Asked): Promise<Membership> {
    if (!memberUserIdSchema.safeParse(userId).success) throw new AppError('invalid', { detail: 'not an id of a user' });
    const path = `${pathOf(board)}/${encodeURIComponent(userId)}`;
    const headers = headersOf(access);
    const asked = { method, path, route: memberRoute, headers, ...(body === undefined ? {} : { body }) };
    return this.#gateway.clients.chat.request({ ...asked, schema: membershipSchema });
  }

  async #admin(request: FastifyRequest): Promise<Access> {
    const access = await authenticate(this.#gateway, request);
    if (isAdmin(access)) return access;
    this.#gateway.decisions.report({ action: 'member.set', outcome: 'refused', actor: access.userId });
    throw new AppError('forbidden', { detail: 'only administrators deal with memberships' });
  }
}

interface Asked {
  board: string;
  userId: string;
  access: Access;
  body?: unknown;
}

const pathOf = (board: string) => `/internal/v1/boards/${encodeURIComponent(knownSlug(board))}/members`;

const headersOf = (access: Access) => ({ [internalHeaders.identity]: accountIdentity(access) });
