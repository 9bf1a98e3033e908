import type { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import { AddressGuard } from './address-guard.ts';
import { checkedConnector, type Resolve } from './checked-connector.ts';
import { DialError } from './dial-error.ts';
import { tooLarge } from './inflate.ts';
import { peerUrl, type DialingPolicy } from './peer-url.ts';

export interface DialerOptions extends DialingPolicy {
  /** Networks that peers may be in although they aren't of the open internet. */
  allowedNetworks: readonly string[];
  connectTimeoutMs?: number;
  /** To build a circuit takes its time. */
  proxyConnectTimeoutMs?: number;
  /** Instead of the system's. */
  resolve?: Resolve;
  ca?: string;
}

export interface DialRequest {
  method: 'GET' | 'POST';
  url: string;
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array;
  /** From the call to the last byte; of a stream, to its headers. */
  timeoutMs?: number;
  /** Between two bytes of the answer. */
  idleMs?: number;
  signal?: AbortSignal;
}

export type DialHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface DialAnswer {
  status: number;
  headers: DialHeaders;
  /** As it travelled: digests are of these bytes, and only what has been checked is worth inflating. */
  raw: Buffer;
}

export interface DialStream {
  status: number;
  headers: DialHeaders;
  /** Not encoded. Destroying it ends the connection. */
  body: Readable;
}

const headerBytesMax = 16 * 1024;
const connectionsPerPeerMax = 8;
const requestTimeoutMs = 15_000;
const idleTimeoutMs = 10_000;
const keepAliveMs = 30_000;

/**
 * The only way out to other sites. It calls nobody whom an outsider could choose to our harm, follows nobody elsewhere,
 * and reads no more and waits no longer than it was told.
 */
export class Dialer {
  readonly #policy: DialingPolicy;
  readonly #guard: AddressGuard;
  readonly #agent: Agent;

  constructor(options: DialerOptions) {
    const { connectTimeoutMs = 10_000, proxyConnectTimeoutMs = 60_000, allowedNetworks, ...rest } = options;
    this.#policy = { httpHosts: options.httpHosts, proxy: options.proxy };
    this.#guard = new AddressGuard(allowedNetworks);
    this.#agent = new Agent({
      connect: checkedConnector({
        ...rest,
        guard: this.#guard,
        policy: this.#policy,
        connectTimeoutMs,
        proxyConnectTimeoutMs,
      }),
      connections: connectionsPerPeerMax,
      pipelining: 1,
      maxHeaderSize: headerBytesMax,
      keepAliveTimeout: keepAliveMs,
      allowH2: false,
    });
  }

  /**
   * One request and its whole answer, of at most `bytesMax` bytes as they travel; gzip is offered.
   * @throws DialError
   */
  async request(request: DialRequest & { bytesMax: number }): Promise<DialAnswer> {
    const deadline = new Deadline(request.timeoutMs ?? requestTimeoutMs, request.signal);
    try {
      const { statusCode, headers, body } = await this.#dispatch(request, deadline, 'gzip');
      return { status: statusCode, headers, raw: await readAll(body, request.bytesMax) };
    } catch (error) {
      throw deadline.explain(error);
    } finally {
      deadline.release();
    }
  }

  /**
   * One request whose answer has no end, such as a peer's stream; its reader bounds what it keeps.
   * @throws DialError
   */
  async open(request: DialRequest): Promise<DialStream> {
    const deadline = new Deadline(request.timeoutMs ?? requestTimeoutMs, request.signal);
    try {
      const { statusCode, headers, body } = await this.#dispatch(request, deadline, 'identity');
      if (headers['content-encoding'] !== undefined) {
        discard(body);
        throw new DialError('bad_encoding', 'an encoded stream');
      }
      deadline.disarm();
      // Ends also when nobody reads it any more: an error without a listener would end the process.
      body.on('error', () => undefined).once('close', () => deadline.release());
      return { status: statusCode, headers, body };
    } catch (error) {
      deadline.release();
      throw deadline.explain(error);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #dispatch(request: DialRequest, deadline: Deadline, encoding: string): Promise<Dispatcher.ResponseData> {
    const { url } = peerUrl(request.url, this.#policy);
    const answer = await this.#agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      headers: { 'accept-encoding': encoding, 'user-agent': 'boardwire', ...request.headers },
      body: request.body === undefined ? null : Buffer.from(request.body),
      signal: deadline.signal,
      headersTimeout: 0,
      bodyTimeout: request.idleMs ?? idleTimeoutMs,
    });
    if (answer.statusCode >= 300 && answer.statusCode < 400) {
      discard(answer.body);
      throw new DialError('redirected', 'the peer sends us elsewhere');
    }
    return answer;
  }
}

/** Ends the connection without reading the rest; what undici says about that is no error of ours. */
function discard(body: Readable): void {
  body.on('error', () => undefined).destroy();
}

async function readAll(body: Readable, bytesMax: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the body, and with it the connection.
  for await (const part of body as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > bytesMax) throw tooLarge(bytesMax);
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}

/** The caller's signal and a bound on time in one. */
class Deadline {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #onCaller = () => this.#controller.abort(this.#caller?.reason);
  #isLate = false;

  constructor(timeoutMs: number, caller: AbortSignal | undefined) {
    this.signal = this.#controller.signal;
    this.#caller = caller;
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.#controller.abort(new DialError('timed_out', 'no whole answer in time'));
    }, timeoutMs);
    if (caller?.aborted === true) this.#onCaller();
    caller?.addEventListener('abort', this.#onCaller);
  }

  disarm(): void {
    clearTimeout(this.#timer);
  }

  release(): void {
    this.disarm();
    this.#caller?.removeEventListener('abort', this.#onCaller);
  }

  /** What happened, in our own words; the caller's own abort stays what it was. */
  explain(error: unknown): unknown {
    if (this.#isLate) return new DialError('timed_out', 'no whole answer in time', error);
    if (error instanceof DialError || this.#caller?.aborted === true) return error;
    const { code } = error as { code?: string };
    if (code === 'UND_ERR_BODY_TIMEOUT') return new DialError('timed_out', 'the answer stopped', error);
    if (code === 'UND_ERR_HEADERS_OVERFLOW') return new DialError('too_large', 'headers beyond all measure', error);
    return new DialError('unreachable', 'no answer', error);
  }
}
