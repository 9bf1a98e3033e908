import { auditExportQuerySchema, auditFilterNames, type AuditExportQuery } from '@boardwire/contracts';
import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Download, Exporter } from '../exporting/exporter.ts';
import type { ReadRecords } from '../reading/read-records.ts';
import { databaseAnswer } from './database-answer.ts';
import { dayOf, noQuerySchema } from './read-queries.ts';
import { requireAuditor } from './require-auditor.ts';
import { tokens } from './tokens.ts';

/** What the gateway forwards from `/v1/audit` for files. */
@Controller('internal/v1/audit')
export class ExportsController {
  constructor(
    @Inject(tokens.exporter) private readonly exporter: Exporter,
    @Inject(tokens.records) private readonly records: ReadRecords,
  ) {}

  @Get('days/:day.jsonl')
  async day(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('day') day: string,
    @Query({ schema: noQuerySchema }) _query: object,
  ): Promise<void> {
    await this.#send(request, reply, () => this.exporter.day(dayOf(day), { isZipped: false }));
  }

  @Get('days/:day.jsonl.gz')
  async zippedDay(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('day') day: string,
    @Query({ schema: noQuerySchema }) _query: object,
  ): Promise<void> {
    await this.#send(request, reply, () => this.exporter.day(dayOf(day), { isZipped: true }));
  }

  @Get('export')
  async export(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query({ schema: auditExportQuerySchema }) query: AuditExportQuery,
  ): Promise<void> {
    const given = request.query as Record<string, unknown>;
    const filter = Object.fromEntries(
      auditFilterNames.filter((name) => name in given).map((name) => [name, given[name]]),
    );
    await this.#send(request, reply, () => this.exporter.export(query, filter));
  }

  async #send(request: FastifyRequest, reply: FastifyReply, make: () => Promise<Download>): Promise<void> {
    const reader = requireAuditor(request);
    // Nothing leaves before it is written down who took it.
    await databaseAnswer(() => this.records.record(reader, 'audit.export', request.url));
    const { body, contentType, fileName } = await databaseAnswer(make);
    await reply
      .header('content-type', contentType)
      .header('content-disposition', `attachment; filename="${fileName}"`)
      .header('cache-control', 'no-store')
      .send(body);
  }
}
