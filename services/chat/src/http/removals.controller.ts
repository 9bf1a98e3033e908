import type { RemovedSeqs } from '@boardwire/contracts';
import { Controller, Delete, Get, HttpCode, Inject, Param, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Removals } from '../log/removals.ts';
import { administratorOf } from './forwarded.ts';
import { removedQuerySchema, seqSchema, type RemovedQuery } from './queries.ts';
import { tokens } from './tokens.ts';

/** Removing the content of events, and telling gateways which ones. */
@Controller('/internal/v1/boards/:board')
export class RemovalsController {
  constructor(@Inject(tokens.removals) private readonly removals: Removals) {}

  @Delete('events/:seq')
  @HttpCode(204)
  remove(@Req() request: FastifyRequest, @Param('board') board: string, @Param('seq') seq: string): Promise<void> {
    return this.removals.remove(board, seqSchema.parse(seq), administratorOf(request));
  }

  @Get('removed')
  removed(
    @Param('board') board: string,
    @Query({ schema: removedQuerySchema }) { from }: RemovedQuery,
  ): Promise<RemovedSeqs> {
    return this.removals.removedFrom(board, from);
  }
}
