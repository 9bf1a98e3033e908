import { internalHeaders } from '@boardwire/contracts';
import type { ServiceTokens } from '@boardwire/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HopSigner } from '../hop/hop-signer.ts';
import type { VerifiedHop } from '../hop/hop-verifier.ts';
import { fedErrorFrom, FedError } from './fed-error.ts';
import type { Handshakes } from './handshakes.ts';
import type { PeerBook } from './peer-book.ts';
import type { Refusals } from './refusals.ts';
import type { OpenStreams } from './stream/open-streams.ts';
import { assertShares, grantOf, type WireDoor, type WireRequest } from './wire-door.ts';
import type { SiteCall, SiteRoute, WireAnswer, WireCall, WireRoute } from './wire-route.ts';

export interface WireServerParts {
  door: WireDoor;
  book: PeerBook;
  signer: HopSigner;
  refusals: Refusals;
  handshakes: Handshakes;
  streams: OpenStreams;
  routes: readonly WireRoute[];
  siteRoutes: readonly SiteRoute[];
  tokens: ServiceTokens;
  /** The peer has shown itself. */
  onContact: (site: string) => void;
}

const streamBodyBytesMax = 256 * 1024;

/** Puts `/fed/v1` onto a server that doesn't listen yet. Bodies are left on the connection until their sender is proven. */
export function mountWire(fastify: FastifyInstance, parts: WireServerParts): void {
  const server = new WireServer(parts);
  void fastify.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    scope.setErrorHandler((error, request, reply) => server.refuse(request, reply, error));
    scope.post('/fed/v1/handshake', (request, reply) => server.shake(request, reply));
    scope.post('/fed/v1/rooms/:room/stream', (request, reply) => server.stream(request, reply));
    for (const route of parts.routes) {
      const handler = (request: FastifyRequest, reply: FastifyReply) => server.serve(route, request, reply);
      scope.route({
        method: route.method,
        url: `/fed/v1/rooms/:room/${route.path}`,
        handler,
        exposeHeadRoute: false,
      });
    }
    for (const route of parts.siteRoutes) {
      const handler = (request: FastifyRequest, reply: FastifyReply) => server.serveSite(route, request, reply);
      scope.route({ method: route.method, url: `/fed/v1/${route.path}`, handler, exposeHeadRoute: false });
    }
    // A newer peer learns here that this site isn't as far.
    const unknown = new FedError('upgrade_required', { detail: 'no such endpoint here' });
    scope.all('/fed/*', (request, reply) => server.refuse(request, reply, unknown));
    done();
  });
}

class WireServer {
  readonly #parts: WireServerParts;

  constructor(parts: WireServerParts) {
    this.#parts = parts;
  }

  /** One request, one signed answer. */
  serve(route: WireRoute, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.#guarded(request, reply, async (proven) => {
      const call = await this.#call(request, proven, { scope: route.scope, bytesMax: route.bodyBytesMax });
      this.#send(reply, await route.answer(call), proven.hop);
    });
  }

  /** The same for what belongs to no room. */
  serveSite(route: SiteRoute, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.#guarded(request, reply, async (proven) => {
      this.#send(reply, await route.answer(await this.#siteCall(proven, route.bodyBytesMax)), proven.hop);
    });
  }

  stream(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.#guarded(request, reply, async (proven) => {
      const call = await this.#call(request, proven, { scope: 'read', bytesMax: streamBodyBytesMax });
      await this.#parts.streams.open(call, reply.raw);
    });
  }

  /** The sender may be a stranger: the keys that judge it are inside what it sends. */
  async shake(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    reply.hijack();
    let hop: VerifiedHop | undefined;
    try {
      const wire = await this.#wireRequest(request);
      const json = await this.#parts.handshakes.answer(wire, (proven) => (hop = proven));
      this.#send(reply, { status: 200, json }, hop);
    } catch (error) {
      this.#sendRefusal(reply, this.#refusal(request, error, hop?.site), hop);
    }
  }

  refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
    reply.hijack();
    // What the framework itself refuses, such as a query that isn't well encoded.
    const isOurs = fedErrorFrom(error) !== undefined;
    const known = isOurs ? error : new FedError('malformed');
    this.#sendRefusal(reply, this.#refusal(request, known, undefined), undefined);
  }

  async #guarded(request: FastifyRequest, reply: FastifyReply, work: (proven: Proven) => Promise<void>): Promise<void> {
    reply.hijack();
    let hop: VerifiedHop | undefined;
    try {
      const wire = await this.#wireRequest(request);
      const proven = await this.#parts.door.prove(wire);
      hop = proven.hop;
      this.#parts.door.admit(proven.peer);
      this.#parts.onContact(proven.peer.site);
      await work({ ...proven, wire });
    } catch (error) {
      this.#sendRefusal(reply, this.#refusal(request, error, hop?.site), hop);
    }
  }

  async #call(
    request: FastifyRequest,
    { peer, hop, wire }: Proven,
    { scope, bytesMax }: { scope: WireRoute['scope']; bytesMax: number },
  ): Promise<WireCall> {
    const body = await this.#parts.door.body(wire, { bytesMax });
    const params = { ...(request.query as Params), ...(request.params as Params) };
    const room = params['room'] ?? '';
    const grant = grantOf((await this.#parts.book.find(peer.site, room)) ?? peer, room, scope);
    return { peer, hop, room, grant, params, body };
  }

  async #siteCall({ peer, hop, wire }: Proven, bytesMax: number): Promise<SiteCall> {
    const body = await this.#parts.door.body(wire, { bytesMax });
    // It may just have been let into its first room.
    assertShares(peer.rooms.size > 0 ? peer : ((await this.#parts.book.find(peer.site, '')) ?? peer));
    return { peer, hop, body };
  }

  async #wireRequest(request: FastifyRequest): Promise<WireRequest> {
    return { raw: request.raw, address: await this.#addressOf(request) };
  }

  /** The gateway tells whom it speaks for; anybody else speaks for itself. */
  async #addressOf({ headers, ip }: FastifyRequest): Promise<string> {
    const told = headers[internalHeaders.address];
    const token = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
    if (typeof told !== 'string' || token === undefined) return ip;
    const caller = await this.#parts.tokens.verify(token, 'federation').catch(() => undefined);
    return caller?.caller === 'gateway' ? told : ip;
  }

  #refusal(request: FastifyRequest, error: unknown, site: string | undefined): FedError {
    return this.#parts.refusals.of(error, { site, route: request.routeOptions.url ?? 'unknown' });
  }

  #sendRefusal(reply: FastifyReply, refusal: FedError, hop: VerifiedHop | undefined): void {
    const { retryAfterMs, status } = refusal;
    const more = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) };
    this.#send(reply, { status, json: refusal.toProblem() }, hop, more);
  }

  /** Signed as soon as it is known to whom. Past the framework, which would take the content type from an empty answer. */
  #send({ raw }: FastifyReply, { status, json }: WireAnswer, hop?: VerifiedHop, more: Params = {}): void {
    if (raw.headersSent || raw.destroyed) {
      raw.destroy();
      return;
    }
    const body = Buffer.from(json === undefined ? '' : JSON.stringify(json));
    const contentType = 'application/json';
    const signed =
      hop === undefined
        ? { 'content-type': contentType }
        : this.#parts.signer.signAnswer({ status, body, contentType, requestSignature: hop.signature });
    raw.writeHead(status, {
      ...signed,
      ...more,
      ...(status === 204 ? {} : { 'content-length': body.length }),
      'cache-control': 'no-store',
    });
    raw.end(body);
  }
}

type Params = Record<string, string | undefined>;

interface Proven {
  peer: WireCall['peer'];
  hop: VerifiedHop;
  wire: WireRequest;
}
