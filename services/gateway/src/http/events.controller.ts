import {
  internalHeaders,
  parseCursor,
  type BatchOutcome,
  type EphemeralReceipt,
  type PublishReceipt,
} from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GATEWAY, type Gateway } from '../gateway.ts';
import type { DraftEvent } from '../publish/draft-event.ts';
import { readPublishRequest, type Publishing } from '../publish/publish-request.ts';
import type { Receipt } from '../publish/publisher.ts';
import type { Access } from '../rights/access.ts';
import { knownSlug } from './boards.controller.ts';
import { authenticate } from './door.ts';
import { accountIdentity } from './identity.ts';
import { historyRepresentation, linkHeader } from './history-answer.ts';
import { readHistory } from './read-history.ts';
import { parseHistoryQuery } from './query.ts';

@Controller('/v1/boards/:board/events')
export class EventsController {
  readonly #gateway: Gateway;

  constructor(@Inject(GATEWAY) gateway: Gateway) {
    this.#gateway = gateway;
  }

  @Post()
  async publish(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('board') slug: string,
    @Body() body: unknown,
  ): Promise<PublishReceipt | EphemeralReceipt | BatchOutcome[]> {
    const access = await authenticate(this.#gateway, request);
    const board = knownSlug(slug);
    const publishing = readPublishRequest({
      headers: request.headers,
      body,
      bodyBytes: request.rawBody?.length ?? 0,
      publisherId: access.userId,
    });
    this.#gateway.publisher.takeRate(access, publishing.mode === 'single' ? 1 : publishing.events.length);
    if (publishing.mode === 'batch') return this.#batch(access, board, publishing, reply);
    const { outcome, ...receipt } = await this.#gateway.publisher.publish(access, board, publishing.event);
    reply.status(statusOf[outcome]);
    return receipt;
  }

  @Get()
  async history(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('board') slug: string,
    @Query() query: unknown,
  ): Promise<void> {
    const access = await authenticate(this.#gateway, request);
    const asked = parseHistoryQuery(query);
    const { type, write } = historyRepresentation(request.headers.accept);
    const page = await readHistory(this.#gateway, { access, board: knownSlug(slug), asked });
    const link = linkHeader(request.url, page);
    if (link !== undefined) reply.header('link', link);
    reply.header('cache-control', 'no-store').header('vary', 'accept, authorization');
    // The text is complete: stored bytes are spliced, never parsed and written again.
    await reply.header('content-type', type).serializer(String).send(write(page));
  }

  /** Removes the content of one event everywhere, for administrators and its author; its place in the log, and the proof of what it was, stay. */
  @Delete(':cursor')
  @HttpCode(204)
  async remove(
    @Req() request: FastifyRequest,
    @Param('board') slug: string,
    @Param('cursor') text: string,
  ): Promise<void> {
    const access = await authenticate(this.#gateway, request);
    const { epoch } = await this.#gateway.boards.find(knownSlug(slug));
    const cursor = parseCursor(text);
    if (cursor?.epoch !== epoch) throw new AppError('invalid_cursor', { detail: `the board is in epoch ${epoch} now` });
    try {
      await this.#gateway.clients.chat.request({
        method: 'DELETE',
        path: `/internal/v1/boards/${slug}/events/${cursor.seq}`,
        route: '/internal/v1/boards/{board}/events/{seq}',
        headers: { [internalHeaders.identity]: accountIdentity(access) },
      });
    } catch (error) {
      if (error instanceof AppError && error.code === 'forbidden')
        this.#gateway.decisions.report({ action: 'event.remove', outcome: 'refused', actor: access.userId });
      throw error;
    }
  }

  /** 201 when all of it is new, 202 when all of it is ephemeral; else 200, and each outcome tells its own. */
  async #batch(
    access: Access,
    board: string,
    { events }: Extract<Publishing, { mode: 'batch' }>,
    reply: FastifyReply,
  ): Promise<BatchOutcome[]> {
    const drafts = events.filter((event): event is DraftEvent => !(event instanceof AppError));
    const answers = await this.#gateway.publisher.publishAll(access, board, drafts);
    const outcomes = events.map((event) => (event instanceof AppError ? event : answers.shift()!)).map(toOutcome);
    const failed = outcomes.find(({ status }) => status >= 500);
    // Nothing of it was answered for: the request as a whole is what has to be repeated.
    if (failed !== undefined && outcomes.every(({ status }) => status === failed.status)) throw wholeFailure(failed);
    const [first] = outcomes;
    const isOne = outcomes.every(({ status }) => status === first!.status);
    reply.status(isOne && first!.status < 300 ? first!.status : 200);
    return outcomes;
  }
}

function toOutcome(answer: Receipt | AppError): BatchOutcome {
  if (answer instanceof AppError) {
    const { status, code, id, detail, errors } = answer.toProblem();
    return { status, code, ...(id && { id }), ...(detail && { detail }), ...(errors && { errors }) };
  }
  if (answer.outcome === 'ephemeral') {
    const { id, board, time } = answer;
    return { id, board, time, status: 202 };
  }
  const { outcome, ...receipt } = answer;
  return { ...receipt, status: outcome === 'created' ? 201 : 200 };
}

const statusOf = { created: 201, repeated: 200, ephemeral: 202 } as const;

function wholeFailure(outcome: BatchOutcome): AppError {
  return 'code' in outcome
    ? new AppError(outcome.code, { detail: 'no event of the batch was accepted; repeat it with the same ids' })
    : new AppError('internal');
}
