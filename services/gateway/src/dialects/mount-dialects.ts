import { limits } from '@boardwire/contracts';
import type { DialectStream } from '@boardwire/dialects';
import { AppError } from '@boardwire/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { reachOf } from '../delivery/reach.ts';
import type { Gateway } from '../gateway.ts';
import { corsHeaders } from '../http/cors.ts';
import { assertMayStay } from '../http/door.ts';
import { openEventStream } from '../http/event-stream.ts';
import { jittered } from '../http/jitter.ts';
import { bearerToken } from '../rights/bearer-token.ts';
import { DialectConnection } from './dialect-connection.ts';

type Query = Readonly<Record<string, string | undefined>>;

/** Mounts the streams of older systems. Their paths are exact: with and without a slash at the end are two paths. */
export function mountDialects(fastify: FastifyInstance, gateway: Gateway, streams: readonly DialectStream[]): void {
  for (const stream of streams) {
    fastify.get(stream.path, { exposeHeadRoute: false }, (request, reply) => serve(gateway, stream, request, reply));
  }
}

async function serve(gateway: Gateway, dialect: DialectStream, request: FastifyRequest, reply: FastifyReply) {
  const query = flat(request.query);
  const token = dialect.token === 'bearer' ? bearerToken(request.headers.authorization) : query[dialect.token.query];
  const access = await gateway.verifier.verify(token);
  const { board, subjects, formatKey } = dialect.parse(query);
  await gateway.boards.find(board);
  const readable = gateway.subscriptions.resolve({ access, board, subjects });
  assertMayStay(gateway, access);
  const { config, desk, presence } = gateway;
  reply.hijack();
  const stream = openEventStream(request.raw, reply.raw, corsHeaders(config.CORS_ORIGINS, request));
  if (stream === undefined) return;
  const leave = presence.enter(board, {
    user: { id: access.userId, name: access.name },
    filters: reachOf(readable.channel.access, readable.wanted),
  });
  let end = () => {};
  let release = () => {};
  const connection = new DialectConnection({
    access,
    stream,
    dialect,
    bounds: { bytesMax: config.OUTBOX_BYTES_MAX, eventsMax: limits.outboxEventsMax },
    desk,
    onClosed: () => {
      end();
      release();
      leave();
    },
  });
  // It comes back, and gets what it may see then.
  release = gateway.subscriptions.hold(readable, {
    onChanged: () => connection.end('fault'),
    onLost: () => connection.end('gone'),
  });
  try {
    end = await gateway.dialects.subscribe({
      ...readable,
      stream: dialect,
      formatKey,
      framing: stream.framing,
      member: connection,
      onSnapshot: (bytes) => connection.open(bytes),
    });
    // It may have gone while the snapshot was read.
    if (connection.isOver) end();
  } catch (error) {
    gateway.context.logger.warn({ event: 'dialect.open_failed', path: dialect.path, err: error });
    connection.end('fault', jittered(limits.retryMs));
  }
}

/** Older clients repeat nothing; of a repeated parameter the first counts. */
function flat(query: unknown): Query {
  if (typeof query !== 'object' || query === null) throw new AppError('malformed');
  const entries = Object.entries(query).map(([name, value]: [string, unknown]) => {
    const first: unknown = Array.isArray(value) ? value[0] : value;
    return [name, typeof first === 'string' ? first : undefined] as const;
  });
  return Object.fromEntries(entries);
}
