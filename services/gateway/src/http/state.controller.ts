import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GATEWAY, type Gateway } from '../gateway.ts';
import { knownSlug } from './boards.controller.ts';
import { authenticate } from './door.ts';
import { parseStateQuery } from './query.ts';

/** The newest event of each subject of class `state`: where to start over after a `reset`. */
@Controller('/v1/boards/:board/state')
export class StateController {
  readonly #gateway: Gateway;

  constructor(@Inject(GATEWAY) gateway: Gateway) {
    this.#gateway = gateway;
  }

  @Get()
  async state(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('board') slug: string,
    @Query() query: unknown,
  ): Promise<void> {
    const access = await authenticate(this.#gateway, request);
    const { subjects, types } = parseStateQuery(query);
    await this.#gateway.boards.find(knownSlug(slug));
    const { channel, wanted } = this.#gateway.subscriptions.resolve({
      access,
      board: knownSlug(slug),
      subjects,
      types,
    });
    const { json } = await this.#gateway.states.read(channel, wanted);
    reply.header('cache-control', 'no-store').header('content-type', 'application/json; charset=utf-8');
    await reply.serializer(String).send(json);
  }
}
