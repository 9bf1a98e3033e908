import { ignoredAuthorSchema, type IgnoreList } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Controller, Delete, Get, HttpCode, Inject, Param, Put, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Ignores } from '../ignores/ignores.ts';
import { identityOf } from './forwarded.ts';
import { tokens } from './tokens.ts';

/** Whom the person behind the gateway ignores; everybody's own alone. */
@Controller('/internal/v1/me/ignores')
export class IgnoresController {
  constructor(@Inject(tokens.ignores) private readonly ignores: Ignores) {}

  @Get()
  list(@Req() request: FastifyRequest): Promise<IgnoreList> {
    return this.ignores.list(personOf(request));
  }

  @Put(':author')
  @HttpCode(204)
  async add(@Req() request: FastifyRequest, @Param('author') author: string): Promise<void> {
    await this.ignores.add(personOf(request), checked(author));
  }

  @Delete(':author')
  @HttpCode(204)
  async end(@Req() request: FastifyRequest, @Param('author') author: string): Promise<void> {
    await this.ignores.end(personOf(request), checked(author));
  }
}

function personOf(request: FastifyRequest): string {
  const identity = identityOf(request);
  if (identity === undefined) throw new AppError('token_missing');
  return identity.userId;
}

function checked(author: string): string {
  if (!ignoredAuthorSchema.safeParse(author).success) throw new AppError('invalid', { detail: 'user or user@site' });
  return author;
}
