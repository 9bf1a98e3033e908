import { internalHeaders, limits, type InternalService } from '@boardwire/contracts';
import { Readable } from 'node:stream';
import type { Histogram } from 'prom-client';
import { Pool, type Dispatcher } from 'undici';
import type { z } from 'zod';
import { AppError } from './app-error.ts';
import { boundedSignal, type BoundedSignal } from './bounded-signal.ts';
import { traceparent } from './correlation.ts';
import { refusalOf } from './internal-refusal.ts';
import type { ServiceContext } from './service-context.ts';

export interface InternalClientOptions {
  context: ServiceContext;
  /** The callee, also the audience of the token. */
  service: InternalService;
  /** Base URL of the callee's internal port. */
  baseUrl: string;
  /** Connections kept to the callee; what is beyond waits. */
  connectionsMax?: number;
  /** Requests under way or waiting; one more is refused as `overloaded`. */
  pendingMax?: number;
  /** Tells this client from another one to the same callee, in the name of its queue. */
  use?: string;
}

export interface InternalRequest<T = unknown> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, already encoded. */
  path: string;
  /** The path's template, for the metric's label. */
  route: string;
  /** Sent as JSON; a Buffer, a string or a Readable is sent as it is, with the content type of `headers`. */
  body?: unknown;
  /** Parses the answer; without it the JSON comes as it is. */
  schema?: z.ZodType<T>;
  timeoutMs?: number;
  idempotencyKey?: string;
  signal?: AbortSignal;
  /** Several values are sent as several headers. */
  headers?: Readonly<Record<string, string | string[]>>;
}

/** A request whose answer's type doesn't matter. */
type Untyped = Omit<InternalRequest, 'schema'>;

export type InternalResponse = Dispatcher.ResponseData;

const connectTimeoutMs = 2_000;
/** Below the server's own, so that no request meets a connection that is just being closed. */
const keepAliveMs = 30_000;

/**
 * Calls another service: kept-alive connections, a service token, the trace, a deadline. A refusal of the callee
 * comes back as the AppError it was; no answer, a late one or a 5xx without a code is `upstream_unavailable`.
 */
export class InternalClient {
  readonly #context: ServiceContext;
  readonly #service: InternalService;
  readonly #pool: Pool;
  readonly #prefix: string;
  readonly #pendingMax: number;
  readonly #seconds: Histogram<'callee' | 'route' | 'code'>;
  #pending = 0;

  constructor({ context, service, baseUrl, connectionsMax = 32, pendingMax = 4_096, use }: InternalClientOptions) {
    const { origin, pathname } = new URL(baseUrl);
    this.#context = context;
    this.#service = service;
    this.#prefix = pathname.replace(/\/$/, '');
    this.#pendingMax = pendingMax;
    this.#pool = new Pool(origin, {
      connections: connectionsMax,
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      connect: { timeout: connectTimeoutMs },
    });
    this.#seconds = context.metrics.histogram('internal_http_seconds', 'Time of a request to another service.', [
      'callee',
      'route',
      'code',
    ]);
    const queue = use === undefined ? service : `${service}_${use}`;
    context.metrics.queueDepth(`internal_http_${queue}`, () => this.#pending);
  }

  /**
   * One request, one JSON answer (undefined for an empty one).
   * @throws AppError with the callee's code, or `upstream_unavailable`, `overloaded`.
   */
  async request<T = unknown>(request: InternalRequest<T>): Promise<T> {
    const { response, text } = await this.#measured(request, async (bound) => {
      try {
        const answered = await this.#dispatch(request, bound.signal);
        return { code: answered.statusCode, value: { response: answered, text: await answered.body.text() } };
      } finally {
        bound.release();
      }
    });
    if (response.statusCode >= 400) throw refusalOf(this.#service, response, text);
    const json = text === '' ? undefined : parsed(this.#service, text);
    return request.schema === undefined ? (json as T) : this.#checked(request.schema, json);
  }

  /**
   * A response whose body is read as it comes, such as NDJSON. `timeoutMs` bounds the time to its headers; the caller
   * ends it with `signal` or by destroying the body.
   */
  async stream(request: Untyped): Promise<InternalResponse> {
    const response = await this.forward(request);
    if (response.statusCode < 400) return response;
    throw refusalOf(this.#service, response, await response.body.text());
  }

  /** As `stream`, but hands every status to the caller: for a gateway that passes the answer on. */
  forward(request: Untyped): Promise<InternalResponse> {
    return this.#measured(request, async (bound) => {
      const response = await this.#dispatch(request, bound.signal);
      bound.disarm();
      response.body.once('close', bound.release);
      return { code: response.statusCode, value: response };
    });
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #measured<V>(request: Untyped, run: (bound: BoundedSignal) => Promise<{ code: number; value: V }>): Promise<V> {
    if (this.#pending >= this.#pendingMax) throw new AppError('overloaded', { detail: `${this.#service} is behind` });
    const bound = boundedSignal(request.timeoutMs ?? limits.internalRequestTimeoutMs, request.signal);
    const stop = this.#seconds.startTimer({ callee: this.#service, route: request.route });
    this.#pending += 1;
    try {
      const { code, value } = await run(bound);
      stop({ code });
      return value;
    } catch (error) {
      bound.release();
      stop({ code: 'none' });
      throw this.#unavailable(error, bound.timedOut());
    } finally {
      this.#pending -= 1;
    }
  }

  async #dispatch(request: Untyped, signal: AbortSignal): Promise<InternalResponse> {
    const isRaw = isSentAsItIs(request.body);
    const body = bodyOf(request.body);
    const timeoutMs = request.timeoutMs ?? limits.internalRequestTimeoutMs;
    const headers: Record<string, string | string[]> = {
      accept: 'application/json',
      ...(request.body === undefined || isRaw ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
      authorization: `Bearer ${await this.#context.tokens.issue(this.#service)}`,
      [internalHeaders.traceparent]: traceparent(),
      [internalHeaders.deadline]: String(timeoutMs),
    };
    if (request.idempotencyKey !== undefined) headers[internalHeaders.idempotencyKey] = request.idempotencyKey;
    return this.#pool.request({
      method: request.method,
      path: this.#prefix + request.path,
      headers,
      body,
      signal,
      // Both are bounded by the signal; the body of a stream by its reader.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  #unavailable(cause: unknown, timedOut: boolean): AppError {
    const detail = timedOut ? `${this.#service} did not answer in time` : `${this.#service} cannot be reached`;
    return new AppError('upstream_unavailable', { detail, cause });
  }

  /** An answer that breaks its contract is a fault between our services, never the user's. */
  #checked<T>(schema: z.ZodType<T>, json: unknown): T {
    const result = schema.safeParse(json);
    if (result.success) return result.data;
    throw new Error(`${this.#service} answered against its contract`, { cause: result.error });
  }
}

type RawBody = string | Uint8Array | Readable;

function isSentAsItIs(body: unknown): body is RawBody {
  return typeof body === 'string' || body instanceof Uint8Array || body instanceof Readable;
}

function bodyOf(body: unknown): RawBody | null {
  if (body === undefined) return null;
  return isSentAsItIs(body) ? body : JSON.stringify(body);
}

function parsed(service: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('upstream_unavailable', { detail: `${service} answered no JSON`, cause });
  }
}
