import {
  auditEntriesQuerySchema,
  auditFilterOf,
  auditFilterSchema,
  type AuditEntriesQuery,
  type AuditEntry,
  type AuditFacets,
  type AuditFilter,
  type AuditPage,
} from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Controller, Get, Inject, Param, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { AuditReader, DayCount } from '../reading/audit-reader.ts';
import type { FacetCounter } from '../reading/facets.ts';
import type { ReadRecords } from '../reading/read-records.ts';
import { databaseAnswer } from './database-answer.ts';
import {
  dayOf,
  dayQuerySchema,
  daysQuerySchema,
  latestQuerySchema,
  seqOf,
  type DayQuery,
  type DaysQuery,
  type LatestQuery,
} from './read-queries.ts';
import { requireAuditor } from './require-auditor.ts';
import { tokens } from './tokens.ts';

/** What the gateway forwards from `/v1/audit` about entries, a page at a time. */
@Controller('internal/v1/audit')
export class EntriesController {
  constructor(
    @Inject(tokens.reader) private readonly reader: AuditReader,
    @Inject(tokens.facets) private readonly counter: FacetCounter,
    @Inject(tokens.records) private readonly records: ReadRecords,
  ) {}

  @Get('entries')
  entries(
    @Req() request: FastifyRequest,
    @Query({ schema: auditEntriesQuerySchema }) query: AuditEntriesQuery,
  ): Promise<AuditPage> {
    const { order, cursor: behind, limit } = query;
    return this.#page(request, () => this.reader.entries({ filter: auditFilterOf(query), order, behind, limit }));
  }

  @Get('facets')
  facets(
    @Req() request: FastifyRequest,
    @Query({ schema: auditFilterSchema }) filter: AuditFilter,
  ): Promise<AuditFacets> {
    return this.#read(
      request,
      () => this.counter.facets(filter),
      ({ counted }) => counted,
    );
  }

  @Get('latest')
  latest(@Req() request: FastifyRequest, @Query({ schema: latestQuerySchema }) query: LatestQuery): Promise<AuditPage> {
    return this.#page(request, () => this.reader.latest(query.limit));
  }

  @Get('days')
  async days(
    @Req() request: FastifyRequest,
    @Query({ schema: daysQuerySchema }) { board }: DaysQuery,
  ): Promise<{ days: DayCount[] }> {
    requireAuditor(request);
    return { days: await databaseAnswer(() => this.reader.days(board)) };
  }

  @Get('days/:day')
  day(
    @Req() request: FastifyRequest,
    @Param('day') day: string,
    @Query({ schema: dayQuerySchema }) query: DayQuery,
  ): Promise<AuditPage> {
    return this.#page(request, () => this.reader.day(dayOf(day), query));
  }

  @Get('entries/:seq')
  entry(@Req() request: FastifyRequest, @Param('seq') seq: string): Promise<AuditEntry> {
    return this.#read(
      request,
      async () => found(await this.reader.entry(seqOf(seq))),
      () => 1,
    );
  }

  @Get('entries/:seq/neighbours')
  neighbours(
    @Req() request: FastifyRequest,
    @Param('seq') seq: string,
    @Query({ schema: latestQuerySchema }) { limit }: LatestQuery,
  ): Promise<AuditPage> {
    return this.#page(request, async () => found(await this.reader.neighbours(seqOf(seq), limit)));
  }

  #page(request: FastifyRequest, work: () => Promise<AuditPage>): Promise<AuditPage> {
    return this.#read(request, work, ({ entries }) => entries.length);
  }

  /** Reading leaves a record of its own. */
  async #read<T>(request: FastifyRequest, work: () => Promise<T>, rowsOf: (answer: T) => number): Promise<T> {
    const reader = requireAuditor(request);
    const answer = await databaseAnswer(work);
    this.records.note(reader, 'audit.read', { url: request.url, rows: rowsOf(answer) });
    return answer;
  }
}

function found<T>(answer: T | undefined): T {
  if (answer === undefined) throw new AppError('not_found', { detail: 'no such entry' });
  return answer;
}
