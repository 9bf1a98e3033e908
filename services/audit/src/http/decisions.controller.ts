import { decisionBatchSchema, type DecisionBatch } from '@boardwire/contracts';
import { AppError, callerOf } from '@boardwire/service-kit';
import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { DecisionInbox } from '../decisions/decision-inbox.ts';
import { databaseAnswer } from './database-answer.ts';
import { tokens } from './tokens.ts';

/** Where the services hand in what they decided. */
@Controller('internal/v1/decisions')
export class DecisionsController {
  constructor(@Inject(tokens.inbox) private readonly inbox: DecisionInbox) {}

  /** Answers when they are stored; from then on they can't be lost on the way into the log. */
  @Post()
  @HttpCode(200)
  async receive(
    @Req() request: FastifyRequest,
    @Body({ schema: decisionBatchSchema }) batch: DecisionBatch,
  ): Promise<{ received: number }> {
    assertOwn(callerOf(request), batch.service);
    return { received: await databaseAnswer(() => this.inbox.receive(batch)) };
  }
}

/** A service speaks for itself: by its name, or by a stream of its own such as `gateway-<incarnation>`. */
function assertOwn(caller: string, service: string): void {
  const rest = service.startsWith(caller) ? service.slice(caller.length) : undefined;
  if (rest === '' || (rest !== undefined && /^[-./:]/.test(rest))) return;
  throw new AppError('forbidden', { detail: `${caller} cannot hand in decisions of ${service}` });
}
