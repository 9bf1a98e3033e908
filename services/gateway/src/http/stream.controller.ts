import { limits, sseBlock, type Overflow, type Reconnect, type TicketUse } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { overflowOf } from '../delivery/overflow.ts';
import { SseFormat, type SseVariant } from '../delivery/sse-format.ts';
import type { Readable } from '../delivery/subscriptions.ts';
import { GATEWAY, type Gateway } from '../gateway.ts';
import type { Access } from '../rights/access.ts';
import { corsHeaders } from './cors.ts';
import { assertMayStay, authenticate, redeemTicket } from './door.ts';
import { answerEventStream, openEventStream } from './event-stream.ts';
import { jittered } from './jitter.ts';
import { knownSlug } from './boards.controller.ts';
import { parseStreamQuery, type StreamQuery } from './query.ts';
import { SseConnection } from './sse-connection.ts';

interface Admitted {
  access: Access;
  ticket: TicketUse | undefined;
  query: StreamQuery;
  readable: Readable;
  overflow: Overflow;
}

export const streamRoute = '/v1/boards/:board/stream';

@Controller(streamRoute)
export class StreamController {
  readonly #gateway: Gateway;
  readonly #formats = new Map<string, SseFormat>();

  constructor(@Inject(GATEWAY) gateway: Gateway) {
    this.#gateway = gateway;
  }

  @Get()
  async stream(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('board') slug: string,
    @Query() rawQuery: unknown,
  ): Promise<void> {
    let admitted: Admitted;
    try {
      admitted = await this.#admit(request, slug, rawQuery);
    } catch (error) {
      // A browser's EventSource ends for good at any status but 200; only what a return can't mend is one.
      if (!(error instanceof AppError) || !isMendedByReturn(error)) throw error;
      this.#refuse(request, reply, error);
      return;
    }
    this.#open(request, reply, admitted);
  }

  async #admit(request: FastifyRequest, slug: string, rawQuery: unknown): Promise<Admitted> {
    const { query, board, access, ticket } = await this.#bearer(request, slug, rawQuery);
    // Tokens that were not known are verified on other threads, and come back from there by the dozen in one turn.
    await this.#gateway.pace.next();
    const { subjects, types } = query;
    await this.#gateway.boards.find(board);
    const readable = this.#gateway.subscriptions.resolve({ access, board, subjects, types });
    const overflow = overflowFor(readable, query);
    assertMayStay(this.#gateway, access);
    return { access, ticket, query, readable, overflow };
  }

  async #bearer(request: FastifyRequest, slug: string, rawQuery: unknown) {
    const read = () => ({ query: parseStreamQuery(rawQuery, lastEventIdOf(request)), board: knownSlug(slug) });
    if (!isByTicket(rawQuery)) {
      const access = await authenticate(this.#gateway, request);
      return { access, ticket: undefined, ...read() };
    }
    const { query, board } = read();
    const { ticket = '', subjects } = query;
    const use = { transport: 'sse' as const, ticket, board, subjects };
    return { ...(await redeemTicket(this.#gateway, request.headers, use)), query, board };
  }

  #open(request: FastifyRequest, reply: FastifyReply, { access, ticket, query, readable, overflow }: Admitted): void {
    const { start, hasSnapshot } = query;
    const { desk, subscriptions, ticketStreams, config } = this.#gateway;
    const headers = corsHeaders(config.CORS_ORIGINS, request);
    reply.hijack();
    if (request.method === 'HEAD') return answerEventStream(reply.raw, headers);
    const stream = openEventStream(request.raw, reply.raw, headers);
    if (stream === undefined) return;
    const format = this.#format({ framing: stream.framing, isNamed: query.isNamed });
    const connection = new SseConnection({
      access,
      stream,
      format,
      bounds: { bytesMax: config.OUTBOX_BYTES_MAX, eventsMax: limits.outboxEventsMax },
      desk,
      subscribe: (outbox, onFailed) =>
        subscriptions.open({ ...readable, format, outbox, start, overflow, hasSnapshot, onFailed }),
    });
    if (ticket !== undefined) {
      stream.socket.once('close', () => ticketStreams.closed(ticket.ticket, connection));
      ticketStreams.opened(ticket, connection);
    }
    const { stalled } = this.#gateway.stalls;
    if (stalled !== undefined) connection.tellStalled(stalled);
  }

  #refuse(request: FastifyRequest, reply: FastifyReply, error: AppError): void {
    const afterMs = jittered(Math.max(error.retryAfterMs ?? 0, 2 * limits.retryMs));
    const reconnect: Reconnect = { reason: reasonOf(error), afterMs };
    const text = sseBlock({ retryMs: afterMs, event: 'reconnect', data: JSON.stringify(reconnect) });
    reply.hijack();
    answerEventStream(reply.raw, corsHeaders(this.#gateway.config.CORS_ORIGINS, request), text);
  }

  /** One object for each variant: their keys are what groups share. */
  #format(variant: SseVariant): SseFormat {
    const created = new SseFormat(variant);
    const known = this.#formats.get(created.key);
    if (known === undefined) this.#formats.set(created.key, created);
    return known ?? created;
  }
}

/** The rules may have changed since a stream was first opened: a status would end a browser's one for good. */
function overflowFor(readable: Readable, { overflow, isReturn }: StreamQuery): Overflow {
  return overflowOf(readable, isReturn && overflow === 'conflate' ? undefined : overflow);
}

function isByTicket(query: unknown): boolean {
  return typeof query === 'object' && query !== null && 'ticket' in query;
}

function isMendedByReturn(error: AppError): boolean {
  return error.status === 429 || error.status >= 500;
}

function reasonOf(error: AppError): Reconnect['reason'] {
  if (error.code === 'draining') return 'drain';
  return error.code === 'rate_limited' ? 'rate' : 'busy';
}

function lastEventIdOf(request: FastifyRequest): string | undefined {
  const value = request.headers['last-event-id'];
  return typeof value === 'string' ? value : undefined;
}
