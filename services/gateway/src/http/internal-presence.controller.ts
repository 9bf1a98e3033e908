import { boardSlugSchema, limits } from '@boardwire/contracts';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import { wholeReach } from '../delivery/reach.ts';
import { GATEWAY, type Gateway } from '../gateway.ts';
import { parseSubjectQuery } from './query.ts';

const querySchema = z.looseObject({ board: boardSlugSchema });

/** Who is here, for services and applets: they are trusted to show nobody what that one may not see. */
@Controller('/internal/v1/presence')
export class InternalPresenceController {
  readonly #gateway: Gateway;

  constructor(@Inject(GATEWAY) gateway: Gateway) {
    this.#gateway = gateway;
  }

  /** `?board=B&subject=F&subject=F`; the answer of `GET /v1/boards/{board}/presence`. */
  @Get()
  async read(@Query() query: unknown) {
    const { board, ...rest } = querySchema.parse(query);
    const subjects = parseSubjectQuery(rest);
    await this.#gateway.boards.find(board);
    return this.#gateway.presence.list(board, wholeReach(subjects), limits.presenceListMax);
  }
}
