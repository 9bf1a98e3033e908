import { AppError, callerOf } from '@boardwire/service-kit';
import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { databaseAnswer } from './database-answer.ts';
import { tokens } from './tokens.ts';

export interface Restoration {
  noteRestored(by: string): Promise<void>;
}

/** `npm run restored`: an operator who put a backup back says so, whatever could be found of it. */
@Controller('internal/v1/restored')
export class RestoredController {
  constructor(@Inject(tokens.restoration) private readonly restoration: Restoration) {}

  @Post()
  @HttpCode(204)
  async restored(@Req() request: FastifyRequest): Promise<void> {
    const caller = callerOf(request);
    if (caller !== 'operator')
      throw new AppError('forbidden', { detail: 'only the operator knows of a restored backup' });
    await databaseAnswer(() => this.restoration.noteRestored(caller));
  }
}
