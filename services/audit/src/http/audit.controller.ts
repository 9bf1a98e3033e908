import type { AuditConsistency, AuditHealth, AuditProof } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Controller, Get, Header, Inject, Param, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { LogProofs } from '../reading/log-proofs.ts';
import type { LogStatus } from '../reading/log-status.ts';
import { databaseAnswer } from './database-answer.ts';
import { consistencyQuerySchema, seqOf, type ConsistencyQuery } from './read-queries.ts';
import { requireAuditor } from './require-auditor.ts';
import { tokens } from './tokens.ts';

/** What the gateway forwards from `/v1/audit` about the log itself: proofs, checkpoints, health. */
@Controller('internal/v1/audit')
export class AuditController {
  constructor(
    @Inject(tokens.status) private readonly status: LogStatus,
    @Inject(tokens.proofs) private readonly proofs: LogProofs,
  ) {}

  @Get('entries/:seq/proof')
  proof(@Req() request: FastifyRequest, @Param('seq') seq: string): Promise<AuditProof> {
    requireAuditor(request);
    return databaseAnswer(() => this.proofs.inclusion(seqOf(seq)));
  }

  @Get('proof/consistency')
  consistency(
    @Req() request: FastifyRequest,
    @Query({ schema: consistencyQuerySchema }) claim: ConsistencyQuery,
  ): Promise<AuditConsistency> {
    requireAuditor(request);
    return databaseAnswer(() => this.proofs.consistency(claim));
  }

  @Get('checkpoint')
  @Header('content-type', 'text/plain; charset=utf-8')
  @Header('cache-control', 'no-store')
  async checkpoint(@Req() request: FastifyRequest): Promise<string> {
    requireAuditor(request);
    const checkpoint = await databaseAnswer(() => this.status.checkpoint());
    if (checkpoint === undefined) throw new AppError('not_found', { detail: 'nothing has been logged yet' });
    return checkpoint.note;
  }

  @Get('key')
  @Header('content-type', 'text/plain; charset=utf-8')
  async key(@Req() request: FastifyRequest): Promise<string> {
    requireAuditor(request);
    return (await databaseAnswer(() => this.proofs.verifierKeys())).map((line) => `${line}\n`).join('');
  }

  @Get('health')
  health(@Req() request: FastifyRequest): Promise<AuditHealth> {
    requireAuditor(request);
    return databaseAnswer(() => this.status.health());
  }
}
