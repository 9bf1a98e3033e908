import { daySchema, type decisionAuditDaySchema, type decisionAuditLatestSchema } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Controller, Get, Inject, Param, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { DecisionAudits } from '../reading/decision-audits.ts';
import type { ReadRecords } from '../reading/read-records.ts';
import { databaseAnswer } from './database-answer.ts';
import { requireAuditor } from './require-auditor.ts';
import { tokens } from './tokens.ts';

const latestDefault = 50;
const dayDefault = 2_000;
const limitMax = 5_000;
const idCharsMax = 256;

/** What the gateway forwards from `/api/agents/{id}/decision-audit`; the detail of a refusal is the room's own code. */
@Controller('internal/v1/agents/:id/decision-audit')
export class DecisionAuditsController {
  constructor(
    @Inject(tokens.decisionAudits) private readonly audits: DecisionAudits,
    @Inject(tokens.records) private readonly records: ReadRecords,
  ) {}

  @Get('latest')
  async latest(
    @Req() request: FastifyRequest,
    @Param('id') id: string,
    @Query() query: Record<string, unknown>,
  ): Promise<z.infer<typeof decisionAuditLatestSchema>> {
    const reader = requireAuditor(request);
    const limit = limitOf(query['limit'], latestDefault);
    await this.#assertRegistered(id);
    const records = await databaseAnswer(() => this.audits.latest(id, limit));
    this.records.note(reader, 'audit.read', { url: request.url, rows: records.length });
    return { success: true, data: { trader_id: id, count: records.length, records } };
  }

  @Get('day')
  async day(
    @Req() request: FastifyRequest,
    @Param('id') id: string,
    @Query() query: Record<string, unknown>,
  ): Promise<z.infer<typeof decisionAuditDaySchema>> {
    const reader = requireAuditor(request);
    const day = daySchema.safeParse(query['day_key']).data;
    if (day === undefined || day.startsWith('0000')) throw new AppError('invalid_day', { detail: 'invalid_day_key' });
    const limit = limitOf(query['limit'], dayDefault);
    await this.#assertRegistered(id);
    const records = await databaseAnswer(() => this.audits.day(id, day, limit));
    this.records.note(reader, 'audit.read', { url: request.url, rows: records.length });
    return { success: true, data: { trader_id: id, day_key: day, count: records.length, records } };
  }

  async #assertRegistered(id: string): Promise<void> {
    const isText = id.length <= idCharsMax && !id.includes('\u0000');
    if (isText && (await databaseAnswer(() => this.audits.knows(id)))) return;
    throw new AppError('not_found', { detail: 'agent_not_registered' });
  }
}

/** As many as there may be at once, for whoever asks for more. */
function limitOf(value: unknown, unasked: number): number {
  if (value === undefined) return unasked;
  if (typeof value !== 'string' || !/^[1-9][0-9]{0,8}$/.test(value)) {
    throw new AppError('invalid', { detail: 'invalid_limit' });
  }
  return Math.min(Number(value), limitMax);
}
