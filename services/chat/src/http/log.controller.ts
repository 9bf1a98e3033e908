import {
  appendRequestSchema,
  followerMarksSchema,
  historyQuerySchema,
  type AppendRequest,
  type AppendResponse,
  type FollowerMarks,
  type HistoryPage,
  type HistoryQuery,
  type RangePage,
  type SyncResponse,
} from '@boardwire/contracts';
import { AppError, callerOf } from '@boardwire/service-kit';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Put, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { AppendLog } from '../log/append-log.ts';
import type { EpochGuard } from '../log/epoch-guard.ts';
import type { ReadLog } from '../log/read-log.ts';
import type { RetentionStore } from '../log/retention-store.ts';
import type { Sync } from '../log/sync.ts';
import { available } from '../store/available.ts';
import {
  foreignEnvelopeSchema,
  rangeQuerySchema,
  stateQuerySchema,
  syncQuerySchema,
  type ForeignEnvelope,
  type RangeParameters,
  type StateQuery,
  type SyncQuery,
} from './queries.ts';
import { tokens } from './tokens.ts';

/** Whose marks were stored together with the events, so that they can't be wrong. */
const storesMarks = new Set(['audit', 'federation']);

/** The logs as other services use them. */
@Controller('/internal/v1')
export class LogController {
  constructor(
    @Inject(tokens.appendLog) private readonly appendLog: AppendLog,
    @Inject(tokens.readLog) private readonly readLog: ReadLog,
    @Inject(tokens.sync) private readonly sync: Sync,
    @Inject(tokens.epochs) private readonly epochs: EpochGuard,
    @Inject(tokens.retentionStore) private readonly retention: RetentionStore,
  ) {}

  @Post('boards/:board/events')
  @HttpCode(200)
  async append(
    @Req() request: FastifyRequest,
    @Param('board') board: string,
    @Body({ schema: appendRequestSchema }) { items }: AppendRequest,
  ): Promise<AppendResponse> {
    return { outcomes: await this.appendLog.append(board, items, callerOf(request)) };
  }

  @Post('boards/:board/foreign-events')
  @HttpCode(200)
  async appendForeign(
    @Req() request: FastifyRequest,
    @Param('board') board: string,
    @Body({ schema: foreignEnvelopeSchema }) { items }: ForeignEnvelope,
  ): Promise<AppendResponse> {
    assertFederation(request, 'brings events of other sites');
    return { outcomes: await this.appendLog.appendForeign(board, items) };
  }

  @Get('sync')
  changes(@Query({ schema: syncQuerySchema }) { since, wait }: SyncQuery): Promise<SyncResponse> {
    return this.sync.answer(since, wait);
  }

  @Put('follower-marks')
  @HttpCode(204)
  async noteMarks(
    @Req() request: FastifyRequest,
    @Body({ schema: followerMarksSchema }) marks: FollowerMarks,
  ): Promise<void> {
    await available(() => this.retention.noteMarks(callerOf(request), marks));
    if (storesMarks.has(callerOf(request))) await available(() => this.epochs.marksNoted(marks.marks));
  }

  @Post('restored')
  @HttpCode(204)
  async restored(@Req() request: FastifyRequest): Promise<void> {
    if (callerOf(request) !== 'operator') {
      throw new AppError('forbidden', { detail: 'only the operator knows of a restored backup' });
    }
    await available(() => this.epochs.restored());
  }

  @Get('boards/:board/range')
  range(
    @Req() request: FastifyRequest,
    @Param('board') board: string,
    @Query({ schema: rangeQuerySchema }) query: RangeParameters,
  ): Promise<RangePage> {
    if (query.salts) assertFederation(request, 'takes salts to other sites');
    return this.readLog.range(board, query);
  }

  @Post('boards/:board/history')
  @HttpCode(200)
  history(
    @Param('board') board: string,
    @Body({ schema: historyQuerySchema }) query: HistoryQuery,
  ): Promise<HistoryPage> {
    return this.readLog.history(board, query);
  }

  @Post('boards/:board/state')
  @HttpCode(200)
  state(@Param('board') board: string, @Body({ schema: stateQuerySchema }) query: StateQuery): Promise<HistoryPage> {
    return this.readLog.state(board, query);
  }
}

function assertFederation(request: FastifyRequest, does: string): void {
  if (callerOf(request) !== 'federation') throw new AppError('forbidden', { detail: `only federation ${does}` });
}
