import { problemMediaType } from '@boardwire/contracts';
import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { AppError } from './app-error.ts';

/** The headers that go with a refusal: `Retry-After` in whole seconds (RFC 9110), `WWW-Authenticate` with every 401. */
export function problemHeaders(error: AppError): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': problemMediaType, 'cache-control': 'no-store' };
  if (error.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1_000));
  if (error.status === 401) headers['www-authenticate'] = 'Bearer realm="boardwire"';
  return headers;
}

/** Answers a refusal through Fastify, or on the raw response when a handler has taken that over. */
export function replyProblem(reply: FastifyReply, error: AppError): void {
  if (reply.sent) {
    replyRawProblem(reply.raw, error);
    return;
  }
  for (const [name, value] of Object.entries(problemHeaders(error))) {
    // A guard that names its own realm keeps it.
    if (name !== 'www-authenticate' || !reply.hasHeader(name)) reply.header(name, value);
  }
  reply.removeHeader('content-length');
  void reply.code(error.status).serializer(String).send(JSON.stringify(error.toProblem()));
}

/**
 * Answers on a raw response. One whose headers are out can't change its status any more: cutting it is the only way
 * left to tell the client that what it got is not whole.
 */
export function replyRawProblem(response: ServerResponse, error: AppError): void {
  if (response.writableEnded) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify(error.toProblem());
  response.writeHead(error.status, { ...problemHeaders(error), 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
