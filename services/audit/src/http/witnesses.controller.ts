import {
  newCosignatureSchema,
  type AuditConsistency,
  type NewCosignature,
  type NewestCheckpoint,
} from '@boardwire/contracts';
import { AppError, callerOf } from '@boardwire/service-kit';
import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Cosignatures } from '../witnessing/cosignatures.ts';
import { databaseAnswer } from './database-answer.ts';
import { consistencyQuerySchema, type ConsistencyQuery } from './read-queries.ts';
import { tokens } from './tokens.ts';

/** Federation brings checkpoints to other sites and their cosignatures back. */
@Controller('internal/v1/witnesses')
export class WitnessesController {
  constructor(@Inject(tokens.cosignatures) private readonly cosignatures: Cosignatures) {}

  @Get('checkpoint')
  newest(@Req() request: FastifyRequest): Promise<NewestCheckpoint> {
    requireFederation(request);
    return databaseAnswer(() => this.cosignatures.newest());
  }

  @Get('consistency')
  consistency(
    @Req() request: FastifyRequest,
    @Query({ schema: consistencyQuerySchema }) claim: ConsistencyQuery,
  ): Promise<AuditConsistency> {
    requireFederation(request);
    return databaseAnswer(() => this.cosignatures.consistency(claim));
  }

  @Post('cosignatures')
  @HttpCode(204)
  async keep(
    @Req() request: FastifyRequest,
    @Body({ schema: newCosignatureSchema }) cosignature: NewCosignature,
  ): Promise<void> {
    requireFederation(request);
    await databaseAnswer(() => this.cosignatures.keep(cosignature));
  }
}

function requireFederation(request: FastifyRequest): void {
  if (callerOf(request) !== 'federation') {
    throw new AppError('forbidden', { detail: 'only federation speaks with witnesses' });
  }
}
