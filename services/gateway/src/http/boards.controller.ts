import {
  boardListSchema,
  boardSchema,
  boardSlugSchema,
  changeBoardSchema,
  createBoardSchema,
  internalHeaders,
  limits,
  type Board,
} from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { GATEWAY, type Gateway } from '../gateway.ts';
import { accountIdentity } from './identity.ts';
import { reachOf } from '../delivery/reach.ts';
import { isAdmin, type Access } from '../rights/access.ts';
import { authenticate } from './door.ts';
import { parseSubjectQuery } from './query.ts';

const listRoute = '/internal/v1/boards';
const boardRoute = '/internal/v1/boards/{board}';
/** A board that has just been made is followed by this pod within chat's next answer. */
const knownWithinMs = 1_500;

@Controller('/v1/boards')
export class BoardsController {
  readonly #gateway: Gateway;

  constructor(@Inject(GATEWAY) gateway: Gateway) {
    this.#gateway = gateway;
  }

  @Get()
  async list(@Req() request: FastifyRequest): Promise<{ boards: Board[] }> {
    const access = await authenticate(this.#gateway, request);
    const { clients, rights } = this.#gateway;
    const { boards } = await clients.chat.request({
      method: 'GET',
      path: listRoute,
      route: listRoute,
      schema: boardListSchema,
    });
    return {
      boards: boards.filter(({ slug }) => rights.maySee(access, slug)).map((board) => this.#shown(board, access)),
    };
  }

  @Get(':board')
  async read(@Req() request: FastifyRequest, @Param('board') slug: string): Promise<Board> {
    const access = await authenticate(this.#gateway, request);
    const board = await this.#ask({ method: 'GET', slug: knownSlug(slug) });
    if (!this.#gateway.rights.maySee(access, board.slug)) throw new AppError('forbidden');
    return this.#shown(board, access);
  }

  @Post()
  @HttpCode(201)
  async create(@Req() request: FastifyRequest, @Body() body: unknown): Promise<Board> {
    const access = await this.#admin(request);
    const wanted = createBoardSchema.parse(body);
    const board = await this.#ask({ method: 'POST', access, body: wanted });
    await this.#gateway.boards.whenKnown(board.slug, knownWithinMs);
    return this.#shown(board, access);
  }

  @Patch(':board')
  async change(@Req() request: FastifyRequest, @Param('board') slug: string, @Body() body: unknown): Promise<Board> {
    const access = await this.#admin(request);
    const changes = changeBoardSchema.parse(body);
    const board = await this.#ask({ method: 'PATCH', slug: knownSlug(slug), access, body: changes });
    this.#gateway.boards.setRules(board.slug, board.rules);
    return this.#shown(board, access);
  }

  @Delete(':board')
  @HttpCode(204)
  async remove(@Req() request: FastifyRequest, @Param('board') slug: string): Promise<void> {
    const access = await this.#admin(request);
    const path = `${listRoute}/${encodeURIComponent(knownSlug(slug))}`;
    const headers = { [internalHeaders.identity]: accountIdentity(access) };
    await this.#gateway.clients.chat.request({ method: 'DELETE', path, route: boardRoute, headers });
  }

  @Get(':board/presence')
  async presence(@Req() request: FastifyRequest, @Param('board') slug: string, @Query() query: unknown) {
    const access = await authenticate(this.#gateway, request);
    const subjects = parseSubjectQuery(query);
    await this.#gateway.boards.find(knownSlug(slug));
    const { channel, wanted } = this.#gateway.subscriptions.resolve({ access, board: knownSlug(slug), subjects });
    return this.#gateway.presence.list(slug, reachOf(channel.access, wanted), limits.presenceListMax);
  }

  async #admin(request: FastifyRequest): Promise<Access> {
    const access = await authenticate(this.#gateway, request);
    if (isAdmin(access)) return access;
    this.#gateway.decisions.report({ action: 'board.change', outcome: 'refused', actor: access.userId });
    throw new AppError('forbidden', { detail: 'only administrators change boards' });
  }

  #ask({ method, slug, access, body }: AskOptions): Promise<Board> {
    const path = slug === undefined ? listRoute : `${listRoute}/${encodeURIComponent(slug)}`;
    const headers = access === undefined ? {} : { [internalHeaders.identity]: accountIdentity(access) };
    const route = slug === undefined ? listRoute : boardRoute;
    return this.#gateway.clients.chat.request({ method, path, route, headers, body, schema: boardSchema });
  }

  /** Who is banned is nobody's business but the administrators'. */
  #shown({ banned, ...board }: Board, access: Access): Board {
    const subscribers = this.#gateway.presence.subscribers(board.slug);
    return { ...board, ...(banned !== undefined && isAdmin(access) ? { banned } : {}), subscribers };
  }
}

interface AskOptions {
  method: 'GET' | 'POST' | 'PATCH';
  slug?: string;
  access?: Access;
  body?: unknown;
}

/** What can't be a slug is no board. */
export function knownSlug(text: string): string {
  if (!boardSlugSchema.safeParse(text).success) throw new AppError('board_unknown');
  return text;
}
