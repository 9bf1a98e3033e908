import type { AuditCheckpoints } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Controller, Get, Header, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LogCheckpoints } from '../reading/log-checkpoints.ts';
import type { LogProofs } from '../reading/log-proofs.ts';
import type { LogTiles } from '../reading/log-tiles.ts';
import type { ReadRecords } from '../reading/read-records.ts';
import { databaseAnswer } from './database-answer.ts';
import {
  checkpointQuerySchema,
  checkpointsQuerySchema,
  epochQuerySchema,
  proofQuerySchema,
  seqOf,
  type CheckpointQuery,
  type CheckpointsQuery,
  type EpochQuery,
  type ProofQuery,
} from './read-queries.ts';
import { requireAuditor } from './require-auditor.ts';
import { tokens } from './tokens.ts';

const plainText = 'text/plain; charset=utf-8';

/** What can be checked without trusting us, as files: C2SP checkpoints, tiles and proofs. */
@Controller('internal/v1/audit')
export class LogFilesController {
  constructor(
    @Inject(tokens.checkpoints) private readonly checkpoints: LogCheckpoints,
    @Inject(tokens.proofs) private readonly proofs: LogProofs,
    @Inject(tokens.tiles) private readonly tiles: LogTiles,
    @Inject(tokens.records) private readonly records: ReadRecords,
  ) {}

  @Get('checkpoint')
  @Header('content-type', plainText)
  @Header('cache-control', 'no-store')
  async checkpoint(
    @Req() request: FastifyRequest,
    @Query({ schema: checkpointQuerySchema }) query: CheckpointQuery,
  ): Promise<string> {
    requireAuditor(request);
    const checkpoint = await databaseAnswer(() => this.checkpoints.one(query));
    if (checkpoint === undefined) throw new AppError('not_found', { detail: 'no such checkpoint is signed' });
    return checkpoint.note;
  }

  @Get('checkpoints')
  newest(
    @Req() request: FastifyRequest,
    @Query({ schema: checkpointsQuerySchema }) query: CheckpointsQuery,
  ): Promise<AuditCheckpoints> {
    requireAuditor(request);
    return databaseAnswer(() => this.checkpoints.newest(query));
  }

  @Get('key')
  @Header('content-type', plainText)
  async key(@Req() request: FastifyRequest): Promise<string> {
    requireAuditor(request);
    return (await databaseAnswer(() => this.proofs.verifierKeys())).map((line) => `${line}\n`).join('');
  }

  @Get('entries/:seq/tlog-proof')
  @Header('content-type', plainText)
  @Header('cache-control', 'no-store')
  tlogProof(
    @Req() request: FastifyRequest,
    @Param('seq') seq: string,
    @Query({ schema: proofQuerySchema }) { witnesses }: ProofQuery,
  ): Promise<string> {
    requireAuditor(request);
    return databaseAnswer(() => this.proofs.tlogProof(seqOf(seq), witnesses));
  }

  @Get('tile/*')
  async tile(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('*') path: string,
    @Query({ schema: epochQuerySchema }) { epoch }: EpochQuery,
  ): Promise<void> {
    const reader = requireAuditor(request);
    const { bytes, isFull, records } = await databaseAnswer(() => this.tiles.file(`tile/${path}`, epoch));
    if (records > 0) this.records.note(reader, 'audit.read', { url: request.url, rows: records });
    // Private: whoever may not read the audit must not get it from a cache between.
    await reply
      .header('content-type', 'application/octet-stream')
      .header('cache-control', isFull ? immutable : 'no-store')
      .send(bytes);
  }
}

const immutable = 'private, max-age=31536000, immutable';
