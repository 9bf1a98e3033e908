import {
  changeBoardSchema,
  createBoardSchema,
  type Board,
  type ChangeBoard,
  type CreateBoard,
} from '@boardwire/contracts';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Boards } from '../boards/boards.ts';
import { administratorOf } from './forwarded.ts';
import { tokens } from './tokens.ts';

@Controller('/internal/v1/boards')
export class BoardsController {
  constructor(@Inject(tokens.boards) private readonly boards: Boards) {}

  @Get()
  list(): { boards: Board[] } {
    return { boards: this.boards.list() };
  }

  @Get(':board')
  read(@Param('board') slug: string): Promise<Board> {
    return this.boards.get(slug);
  }

  @Get(':board/head')
  async head(@Param('board') slug: string): Promise<{ board: string; epoch: string; head: number }> {
    const { epoch, head } = await this.boards.get(slug);
    return { board: slug, epoch, head };
  }

  @Post()
  @HttpCode(201)
  create(@Req() request: FastifyRequest, @Body({ schema: createBoardSchema }) wanted: CreateBoard): Promise<Board> {
    return this.boards.create(wanted, administratorOf(request));
  }

  @Patch(':board')
  change(
    @Req() request: FastifyRequest,
    @Param('board') slug: string,
    @Body({ schema: changeBoardSchema }) change: ChangeBoard,
  ): Promise<Board> {
    return this.boards.change(slug, change, administratorOf(request));
  }

  @Delete(':board')
  @HttpCode(204)
  remove(@Req() request: FastifyRequest, @Param('board') slug: string): Promise<void> {
    return this.boards.remove(slug, administratorOf(request));
  }
}
