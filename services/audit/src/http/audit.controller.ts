import type { AuditConsistency, AuditEntry, AuditHealth, AuditPage, AuditProof } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Controller, Get, Header, Inject, Param, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { AuditReader, DayCount } from '../reading/audit-reader.ts';
import type { LogProofs } from '../reading/log-proofs.ts';
import type { LogStatus } from '../reading/log-status.ts';
import { databaseAnswer } from './database-answer.ts';
import {
  consistencyQuerySchema,
  dayOf,
  dayQuerySchema,
  latestQuerySchema,
  seqOf,
  type ConsistencyQuery,
  type DayQuery,
  type LatestQuery,
} from './read-queries.ts';
import { requireAuditor } from './require-auditor.ts';
import { tokens } from './tokens.ts';

/** What the gateway forwards from `/v1/audit`. */
@Controller('internal/v1/audit')
export class AuditController {
  constructor(
    @Inject(tokens.reader) private readonly reader: AuditReader,
    @Inject(tokens.status) private readonly status: LogStatus,
    @Inject(tokens.proofs) private readonly proofs: LogProofs,
  ) {}

  @Get('latest')
  latest(@Req() request: FastifyRequest, @Query({ schema: latestQuerySchema }) query: LatestQuery): Promise<AuditPage> {
    requireAuditor(request);
    return databaseAnswer(() => this.reader.latest(query.limit));
  }

  @Get('days')
  async days(@Req() request: FastifyRequest): Promise<{ days: DayCount[] }> {
    requireAuditor(request);
    return { days: await databaseAnswer(() => this.reader.days()) };
  }

  @Get('days/:day')
  day(
    @Req() request: FastifyRequest,
    @Param('day') day: string,
    @Query({ schema: dayQuerySchema }) query: DayQuery,
  ): Promise<AuditPage> {
    requireAuditor(request);
    return databaseAnswer(() => this.reader.day(dayOf(day), query));
  }

  @Get('entries/:seq')
  async entry(@Req() request: FastifyRequest, @Param('seq') seq: string): Promise<AuditEntry> {
    requireAuditor(request);
    const entry = await databaseAnswer(() => this.reader.entry(seqOf(seq)));
    if (entry === undefined) throw new AppError('not_found', { detail: 'no such entry' });
    return entry;
  }

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
