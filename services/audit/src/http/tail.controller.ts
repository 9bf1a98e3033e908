import { auditFilterOf, auditTailQuerySchema, auditWholeSchema, type AuditTailQuery } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ReadRecords } from '../reading/read-records.ts';
import type { Tails } from '../tailing/tails.ts';
import { databaseAnswer } from './database-answer.ts';
import { requireAuditor } from './require-auditor.ts';
import { tokens } from './tokens.ts';

/** What the gateway forwards from `/v1/audit/tail`. */
@Controller('internal/v1/audit')
export class TailController {
  constructor(
    @Inject(tokens.tails) private readonly tails: Tails,
    @Inject(tokens.records) private readonly records: ReadRecords,
  ) {}

  @Get('tail')
  async tail(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query({ schema: auditTailQuerySchema }) query: AuditTailQuery,
  ): Promise<void> {
    const reader = requireAuditor(request);
    const after = lastEventId(request) ?? query.after;
    await databaseAnswer(() => this.records.record(reader, 'audit.tail', request.url));
    const body = await databaseAnswer(() => this.tails.tail({ filter: auditFilterOf(query), after }));
    await reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(body);
  }
}

function lastEventId({ headers }: FastifyRequest): number | undefined {
  const value = headers['last-event-id'];
  if (value === undefined || value === '') return undefined;
  const seq = auditWholeSchema.safeParse(value).data;
  if (seq === undefined) throw new AppError('invalid_cursor', { detail: 'Last-Event-ID is the seq of an entry' });
  return seq;
}
