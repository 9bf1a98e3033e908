import {
  redactionsRequestSchema,
  type RedactionsRequest,
  type RemovedSeqs,
  type StoredDisclosure,
} from '@boardwire/contracts';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { AppError, callerOf } from '@boardwire/service-kit';
import type { FastifyRequest } from 'fastify';
import type { Disclosures } from '../log/disclosures.ts';
import type { Removals } from '../log/removals.ts';
import { removerOf } from './forwarded.ts';
import { removedQuerySchema, seqSchema, type RemovedQuery } from './queries.ts';
import { tokens } from './tokens.ts';

/** Removing the content of events, telling gateways which ones, and showing audit what its hashes stand for. */
@Controller('/internal/v1/boards/:board')
export class RemovalsController {
  constructor(
    @Inject(tokens.removals) private readonly removals: Removals,
    @Inject(tokens.disclosures) private readonly disclosures: Disclosures,
  ) {}

  @Get('events/:seq/disclosure')
  disclosure(
    @Req() request: FastifyRequest,
    @Param('board') board: string,
    @Param('seq') seq: string,
  ): Promise<StoredDisclosure> {
    if (callerOf(request) !== 'audit') throw new AppError('forbidden', { detail: 'only audit shows what was hashed' });
    return this.disclosures.of(board, seqSchema.parse(seq));
  }

  @Delete('events/:seq')
  @HttpCode(204)
  remove(@Req() request: FastifyRequest, @Param('board') board: string, @Param('seq') seq: string): Promise<void> {
    return this.removals.remove(board, seqSchema.parse(seq), removerOf(request));
  }

  @Post('redactions')
  @HttpCode(204)
  redact(
    @Req() request: FastifyRequest,
    @Param('board') board: string,
    @Body({ schema: redactionsRequestSchema }) { items }: RedactionsRequest,
  ): Promise<void> {
    if (callerOf(request) !== 'federation')
      throw new AppError('forbidden', { detail: 'only federation brings redactions' });
    return this.removals.redact(board, items);
  }

  @Get('removed')
  removed(
    @Param('board') board: string,
    @Query({ schema: removedQuerySchema }) { from, before }: RemovedQuery,
  ): Promise<RemovedSeqs> {
    return this.removals.removedFrom(board, from, before);
  }
}
