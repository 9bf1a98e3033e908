import {
  federationErrorCodes,
  federationPaths,
  federationProblemSchema,
  feedPageSchema,
  handshakeAnswerSchema,
  headAnswerSchema,
  ndjsonMediaType,
  pushAnswerSchema,
  streamHelloSchema,
  type FederationErrorCode,
  type FeedPage,
  type FeedVector,
  type HandshakeAnswer,
  type HandshakeRequest,
  type HeadAnswer,
  type PushAnswer,
  type PushRequest,
  type StreamRequest,
} from '@boardwire/contracts';
import type { z } from 'zod';
import { verifyHello } from '../hop/hello-signature.ts';
import type { HopAnswer, HopClient } from '../hop/hop-client.ts';
import type { HopKeyring } from '../hop/hop-verifier.ts';
import { parseStrictJson } from '../hop/strict-json.ts';
import { FrameReader } from './frame-reader.ts';
import { LinkError, retryAfterMsOf } from './link-error.ts';

const pageBytesMax = 2 * 1024 * 1024;
const membersBytesMax = 8 * 1024 * 1024;
const refusalBytesMax = 16 * 1024;
const helloWaitMs = 10_000;
const heartbeatMs = { min: 100, max: 15_000 };

export interface PeerAddress {
  site: string;
  /** Scheme, host and port, and the path that the peer stands under, if any. */
  url: string;
}

export interface OpenedStream {
  frames: FrameReader;
  /** What the peer had when it began. */
  vector: FeedVector;
  heartbeatMs: number;
}

/** BF/1 with one peer at one of its addresses: every answer is proven to be that peer's, and is what the contract says. */
export class PeerClient {
  readonly site: string;
  /** How far the peer's clock was ahead of ours when it last answered, roughly. */
  clockOffsetMs: number | undefined;
  readonly #url: string;
  readonly #hop: HopClient;
  readonly #keys: HopKeyring;
  readonly #own: string;

  constructor({ site, url }: PeerAddress, parts: { hop: HopClient; keys: HopKeyring; own: string }) {
    this.site = site;
    this.#url = url.replace(/\/+$/, '');
    this.#hop = parts.hop;
    this.#keys = parts.keys;
    this.#own = parts.own;
  }

  head(room: string, signal: AbortSignal, timeoutMs?: number): Promise<HeadAnswer> {
    const path = federationPaths.head(room);
    return this.#get(path, { schema: headAnswerSchema, bytesMax: membersBytesMax, signal, timeoutMs });
  }

  page(
    room: string,
    { site, epoch, from, limit }: { site: string; epoch: string; from: number; limit: number },
    signal: AbortSignal,
  ): Promise<FeedPage> {
    const path = federationPaths.feed(room, site, epoch, { from, limit });
    return this.#get(path, { schema: feedPageSchema, bytesMax: pageBytesMax, signal });
  }

  push(room: string, request: PushRequest, signal: AbortSignal): Promise<PushAnswer> {
    const how = { schema: pushAnswerSchema, bytesMax: pageBytesMax, signal };
    return this.#post(federationPaths.events(room), request, how);
  }

  handshake(request: HandshakeRequest, signal: AbortSignal): Promise<HandshakeAnswer> {
    const how = { schema: handshakeAnswerSchema, bytesMax: membersBytesMax, signal };
    return this.#post(federationPaths.handshake, request, how);
  }

  /** Opens a stream and proves its hello; what comes behind that is to be read from `frames`. */
  async stream(room: string, request: StreamRequest, signal: AbortSignal): Promise<OpenedStream> {
    const { status, headers, body, nonce } = await this.#hop.open({
      method: 'POST',
      url: this.#url + federationPaths.stream(room),
      destination: this.site,
      body: Buffer.from(JSON.stringify(request)),
      idleMs: 0,
      signal,
    });
    const frames = new FrameReader(body);
    try {
      if (status !== 200) throw await refusalOf(status, headers['retry-after'], frames);
      if (!String(headers['content-type']).startsWith(ndjsonMediaType)) throw badAnswer('not a stream of frames');
      const hello = await frames.next(helloWaitMs);
      if (hello?.t !== 'hello') throw badAnswer('a stream without a hello');
      const key = await this.#keys.hopKey(this.site, hello.kid);
      const content = await verifyHello(hello, { from: this.site, to: this.#own, nonce, key });
      const parsed = streamHelloSchema.safeParse(content);
      if (!parsed.success || parsed.data.room !== room) throw badAnswer('the hello is of another room');
      return { frames, vector: parsed.data.vector, heartbeatMs: clamped(parsed.data.heartbeatMs) };
    } catch (error) {
      frames.close();
      throw error;
    }
  }

  #get<T>(path: string, how: Reading<T>): Promise<T> {
    return this.#call({ method: 'GET', url: this.#url + path }, how);
  }

  #post<T>(path: string, request: object, how: Reading<T>): Promise<T> {
    const body = Buffer.from(JSON.stringify(request));
    return this.#call({ method: 'POST', url: this.#url + path, body }, how);
  }

  async #call<T>(
    call: { method: 'GET' | 'POST'; url: string; body?: Uint8Array },
    { schema, bytesMax, signal, timeoutMs }: Reading<T>,
  ): Promise<T> {
    const bounded = timeoutMs === undefined ? {} : { timeoutMs };
    const answer = await this.#hop.call({ ...call, destination: this.site, bytesMax, signal, ...bounded });
    this.clockOffsetMs = answer.hop.clockOffsetMs;
    if (answer.status !== 200) throw signedRefusal(answer);
    const parsed = schema.safeParse(answer.json);
    if (!parsed.success) throw badAnswer(`${new URL(call.url).pathname} answered with something else`);
    return parsed.data;
  }
}

interface Reading<T> {
  schema: z.ZodType<T>;
  bytesMax: number;
  signal: AbortSignal;
  timeoutMs?: number | undefined;
}

function signedRefusal({ status, json, headers }: HopAnswer): LinkError {
  const { data } = federationProblemSchema.safeParse(json);
  if (data === undefined) return badAnswer(`status ${status}`);
  return new LinkError(data.code, data.detail ?? `status ${status}`, retryAfterMsOf(headers['retry-after']));
}

/** What refuses a stream is not bound to it, so it is a hint and no more. */
async function refusalOf(status: number, retryAfter: string | string[] | undefined, frames: FrameReader) {
  const text = await frames.rest(refusalBytesMax);
  const code = codeIn(text) ?? (status === 429 ? 'rate_limited' : status === 503 ? 'unavailable' : undefined);
  return new LinkError(code ?? 'bad_answer', `a stream was refused with ${status}`, retryAfterMsOf(retryAfter));
}

function codeIn(bytes: Buffer): FederationErrorCode | undefined {
  try {
    const { code } = parseStrictJson(bytes) as { code?: unknown };
    return federationErrorCodes.find((known) => known === code);
  } catch {
    return undefined;
  }
}

const badAnswer = (detail: string) => new LinkError('bad_answer', detail);
const clamped = (ms: number) => Math.min(heartbeatMs.max, Math.max(heartbeatMs.min, ms));
