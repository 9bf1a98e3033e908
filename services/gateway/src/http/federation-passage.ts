import type { ServerResponse } from 'node:http';
import { PassThrough, Transform, type Readable, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  federationErrorTable,
  internalHeaders,
  isStraightPath,
  ndjsonMediaType,
  type FederationErrorCode,
} from '@boardwire/contracts';
import {
  AppError,
  appErrorFrom,
  InternalClient,
  type InternalResponse,
  type ServiceContext,
} from '@boardwire/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config.ts';

/** What signatures between sites cover, and how a body travels: every value as it came, also a second one. */
const passedOn = [
  'accept',
  'accept-encoding',
  'bf-destination',
  'bf-protocol',
  'content-digest',
  'content-encoding',
  'content-length',
  'content-type',
  'signature',
  'signature-input',
  'user-agent',
];
const passedBack = [
  'cache-control',
  'content-digest',
  'content-encoding',
  'content-length',
  'content-type',
  'retry-after',
  'signature',
  'signature-input',
  'x-accel-buffering',
];
/** Streams of peers hold one each, for ever; they must not hold up what operators ask of federation. */
const connectionsMax = 1_024;
/** Beyond the time that a body may take. */
const answerGraceMs = 10_000;
const keepAliveMs = 30_000;
const returnWithinMs = 1_000;
const newline = 0x0a;

/**
 * Passes `/fed/` on to federation as it came, and what it answers back: paths, headers and bytes are signed, so nothing here
 * reads or changes them, and no body is held. Streams go on until either side ends them, or this gateway is drained.
 */
export class FederationPassage {
  readonly #client: InternalClient;
  readonly #timeoutMs: number;
  readonly #streams = new Set<FrameStream>();
  #isDraining = false;

  constructor(context: ServiceContext, config: GatewayConfig) {
    const [service, baseUrl] = ['federation' as const, config.FEDERATION_URL];
    this.#client = new InternalClient({ context, service, baseUrl, connectionsMax, use: 'peers' });
    this.#timeoutMs = config.BODY_TIMEOUT_MS + answerGraceMs;
  }

  mount(fastify: FastifyInstance): void {
    void fastify.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      // Left on the connection: federation decides by the headers whether it wants to read it.
      scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
      scope.setErrorHandler((error, _request, reply) => refuse(reply.hijack().raw, codeOf(error)));
      const handler = (request: FastifyRequest, reply: FastifyReply) => this.#pass(request, reply);
      scope.route({ method: ['GET', 'POST'], url: '/fed/*', handler, exposeHeadRoute: false });
      done();
    });
  }

  /** Ends every stream with a last frame; the peers come back by another gateway. */
  drain(): void {
    this.#isDraining = true;
    for (const stream of this.#streams) stream.finish();
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #pass(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { raw: response } = reply.hijack();
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    // Refused before it was read: the rest goes nowhere, and the connection stays of use.
    response.once('finish', () => request.raw.unpipe().resume());
    try {
      const answer = await this.#ask(request, gone.signal);
      response.writeHead(answer.statusCode, headersBack(answer));
      await this.#passBack(answer, request, response);
    } catch (error) {
      refuse(response, codeOf(error));
    }
  }

  #ask(request: FastifyRequest, signal: AbortSignal): Promise<InternalResponse> {
    const { raw, ip, method } = request;
    const path = raw.url ?? '/';
    if (!isStraightPath(path.split('?', 1)[0] ?? '')) throw new AppError('not_found');
    // Its own stream: whoever is done with it must not take the connection along.
    const body = method === 'POST' ? { body: raw.pipe(new PassThrough()) } : {};
    return this.#client.forward({
      method: method as 'GET' | 'POST',
      path,
      route: '/fed/v1/',
      headers: { ...headersOn(raw.headersDistinct), [internalHeaders.address]: ip },
      ...body,
      timeoutMs: this.#timeoutMs,
      signal,
    });
  }

  async #passBack(
    { headers, body }: InternalResponse,
    request: FastifyRequest,
    response: ServerResponse,
  ): Promise<void> {
    if (!String(headers['content-type']).startsWith(ndjsonMediaType)) return pipeline(body, response);
    // A peer that has vanished without a word is found by the kernel.
    request.raw.socket.setKeepAlive(true, keepAliveMs);
    response.flushHeaders();
    const stream = new FrameStream(body);
    this.#streams.add(stream);
    if (this.#isDraining) stream.finish();
    await pipeline(stream, response).finally(() => this.#streams.delete(stream));
  }
}

/** Lines on their way to a peer, which can be ended behind a whole one. */
class FrameStream extends Transform {
  readonly #source: Readable;
  #last = newline;

  constructor(source: Readable) {
    super();
    this.#source = source;
    source.on('error', (error) => this.destroy(error));
    source.pipe(this);
    this.once('close', () => source.destroy());
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#last = chunk.at(-1) ?? this.#last;
    done(null, chunk);
  }

  /** In the middle of a line nothing can be said; the end says it all. */
  finish(): void {
    this.#source.unpipe(this);
    const retryMs = Math.round(Math.random() * returnWithinMs);
    if (this.#last === newline) this.write(`${JSON.stringify({ t: 'bye', code: 'draining', retryMs })}\n`);
    this.end();
  }
}

function headersOn(given: NodeJS.Dict<string[]>): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const name of passedOn) {
    const values = given[name] ?? [];
    if (values.length > 0) headers[name] = values.length === 1 ? values[0]! : values;
  }
  return headers;
}

function headersBack({ headers }: InternalResponse): Record<string, string | string[]> {
  const back = passedBack.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]] as const]));
  return Object.fromEntries(back);
}

/** Unsigned, as all that is refused before it is known by whom it was sent. */
function refuse(response: ServerResponse, code: FederationErrorCode): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status } = federationErrorTable[code];
  const body = JSON.stringify({ code, status });
  const more = status === 503 ? { 'retry-after': '1' } : {};
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...more,
  });
  response.end(body);
}

function codeOf(error: unknown): FederationErrorCode {
  const status = appErrorFrom(error)?.status ?? 503;
  return status < 500 ? 'malformed' : 'unavailable';
}
