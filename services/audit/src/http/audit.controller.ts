import type { AuditConsistency, AuditDisclosure, AuditHealth, AuditProof } from '@boardwire/contracts';
import { Controller, Get, Inject, Param, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Disclosures } from '../reading/disclosures.ts';
import type { LogProofs } from '../reading/log-proofs.ts';
import type { LogStatus } from '../reading/log-status.ts';
import type { ReadRecords } from '../reading/read-records.ts';
import { databaseAnswer } from './database-answer.ts';
import {
  consistencyQuerySchema,
  proofQuerySchema,
  seqOf,
  type ConsistencyQuery,
  type ProofQuery,
} from './read-queries.ts';
import { requireAuditor } from './require-auditor.ts';
import { tokens } from './tokens.ts';

/** What the gateway forwards from `/v1/audit` about the log itself: proofs, checkpoints, health. */
@Controller('internal/v1/audit')
export class AuditController {
  constructor(
    @Inject(tokens.status) private readonly status: LogStatus,
    @Inject(tokens.proofs) private readonly proofs: LogProofs,
    @Inject(tokens.disclosures) private readonly disclosures: Disclosures,
    @Inject(tokens.records) private readonly records: ReadRecords,
  ) {}

  @Get('entries/:seq/proof')
  proof(
    @Req() request: FastifyRequest,
    @Param('seq') seq: string,
    @Query({ schema: proofQuerySchema }) { witnesses }: ProofQuery,
  ): Promise<AuditProof> {
    requireAuditor(request);
    return databaseAnswer(() => this.proofs.inclusion(seqOf(seq), witnesses));
  }

  @Get('proof/consistency')
  consistency(
    @Req() request: FastifyRequest,
    @Query({ schema: consistencyQuerySchema }) claim: ConsistencyQuery,
  ): Promise<AuditConsistency> {
    requireAuditor(request);
    return databaseAnswer(() => this.proofs.consistency(claim));
  }

  @Get('entries/:seq/disclosure')
  async disclosure(@Req() request: FastifyRequest, @Param('seq') seq: string): Promise<AuditDisclosure> {
    const reader = requireAuditor(request);
    await databaseAnswer(() => this.records.record(reader, 'audit.disclose', request.url));
    return databaseAnswer(() => this.disclosures.of(seqOf(seq)));
  }

  @Get('health')
  health(@Req() request: FastifyRequest): Promise<AuditHealth> {
    requireAuditor(request);
    return databaseAnswer(() => this.status.health());
  }
}
