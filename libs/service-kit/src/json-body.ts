import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from './app-error.ts';

/** Recursive schemas overflow the stack long before JSON.parse does. */
export const jsonDepthMax = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses JSON bodies strictly: valid UTF-8 (RFC 8259), bounded depth, no keys that reach an object's prototype.
 * An empty body is no body.
 */
export function addJsonBody(fastify: FastifyInstance, { keepRawBody = false } = {}): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  const parser = (
    request: FastifyRequest,
    body: Buffer,
    done: (error: Error | null, value?: unknown) => void,
  ): void => {
    if (keepRawBody) request.rawBody = body;
    if (body.length === 0) return done(null, undefined);
    if (depthOf(body) > jsonDepthMax) return done(malformed(`nested deeper than ${jsonDepthMax} levels`));
    const text = decoded(body);
    if (text === undefined) return done(malformed('not valid UTF-8'));
    // Fastify's own parser answers through the callback, in the same tick.
    void parse(request, text, done);
  };
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, parser);
  fastify.addContentTypeParser(/^application\/[\w.-]+\+json(?:$|[\s;])/, { parseAs: 'buffer' }, parser);
}

/** Hands bodies of these media types to the handler as they came, as a Buffer. */
export function addRawBody(fastify: FastifyInstance, mediaTypes: readonly string[]): void {
  for (const mediaType of mediaTypes) {
    fastify.addContentTypeParser(mediaType, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  }
}

function decoded(body: Buffer): string | undefined {
  try {
    return utf8.decode(body);
  } catch {
    return undefined;
  }
}

/** How deep brackets nest, outside strings. Of malformed JSON too, which the parser then refuses. */
function depthOf(body: Buffer): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === 0x22) at = endOfString(body, at);
    else if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, (depth += 1));
    else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return deepest;
}

/** Where the string that opens at `from` closes; the end of the body when it never does. */
function endOfString(body: Buffer, from: number): number {
  for (let at = from + 1; ; at += 1) {
    at = body.indexOf(0x22, at);
    if (at < 0) return body.length;
    let backslashes = 0;
    while (body[at - 1 - backslashes] === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
}

function malformed(detail: string): AppError {
  return new AppError('malformed', { detail });
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The body's bytes as they came, where the server was told to keep them. */
    rawBody?: Buffer;
  }
}
