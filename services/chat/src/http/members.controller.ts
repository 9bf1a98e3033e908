import { memberUserIdSchema, setMembershipSchema, type Membership, type SetMembership } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Members } from '../members/members.ts';
import { administratorOf } from './forwarded.ts';
import { memberQuerySchema, type MemberQuery } from './queries.ts';
import { tokens } from './tokens.ts';

/** Memberships, for administrators behind the gateway and for applets. */
@Controller('/internal/v1/boards/:board/members')
export class MembersController {
  constructor(@Inject(tokens.members) private readonly members: Members) {}

  @Get()
  list(@Param('board') board: string, @Query({ schema: memberQuerySchema }) query: MemberQuery) {
    return this.members.list(board, query);
  }

  @Get(':userId')
  read(@Param('board') board: string, @Param('userId') userId: string): Promise<Membership> {
    return this.members.get(board, checked(userId));
  }

  @Put(':userId')
  set(
    @Req() request: FastifyRequest,
    @Param('board') board: string,
    @Param('userId') userId: string,
    @Body({ schema: setMembershipSchema }) { subjects }: SetMembership,
  ): Promise<Membership> {
    return this.members.set({ board, userId: checked(userId), subjects }, administratorOf(request));
  }

  @Delete(':userId')
  @HttpCode(204)
  async end(
    @Req() request: FastifyRequest,
    @Param('board') board: string,
    @Param('userId') userId: string,
  ): Promise<void> {
    await this.members.set({ board, userId: checked(userId), subjects: [] }, administratorOf(request));
  }
}

function checked(userId: string): string {
  if (!memberUserIdSchema.safeParse(userId).success) throw new AppError('invalid', { detail: 'not an id of a user' });
  return userId;
}
