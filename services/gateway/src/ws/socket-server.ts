import { closeCodes, cloudEventsProtocol, limits, webSocketProtocol } from '@boardwire/contracts';
import { AppError, appErrorFrom, problemHeaders } from '@boardwire/service-kit';
import type { FastifyInstance } from 'fastify';
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { Deadlines } from '../connections/deadlines.ts';
import { Wheel } from '../connections/wheel.ts';
import type { Gateway } from '../gateway.ts';
import { redeemTicket } from '../http/door.ts';
import type { Access } from '../rights/access.ts';
import { bearerToken } from '../rights/bearer-token.ts';
import { admitEventSocket, protocolOf, type EventSocketAdmission } from './admit-event-socket.ts';
import { EventSocket } from './event-socket.ts';
import { serveWithoutUpgrade } from './serve-without-upgrade.ts';
import { SocketConnection } from './socket-connection.ts';
import { SocketFormats } from './socket-formats.ts';
import type { SocketShared } from './socket-shared.ts';

const path = '/v1/ws';
const ticketText = /^[\w-]{1,128}$/;
/** Of the time between pings: who is owed more than an outbox holds has so long to read up to a ping. */
const readWithinShare = 0.4;
const sweepMs = 500;

interface Admitted {
  access: Access | undefined;
  /** Of a client that speaks `cloudevents.json`. */
  events: EventSocketAdmission | undefined;
}

/** Takes WebSocket upgrades at `/v1/ws` and refuses those elsewhere, before the upgrade, with a problem document. */
export class SocketServer {
  readonly #gateway: Gateway;
  readonly #shared: SocketShared;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.frameBytesMax,
    perMessageDeflate: false,
    handleProtocols: (_offered, request) => protocolOf(request) ?? false,
  });

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    this.#shared = {
      formats: new SocketFormats(),
      pings: new Wheel(gateway.config.PING_MS, (connection) => connection.checkPulse()),
      asked: new Deadlines(gateway.config.PING_MS * readWithinShare),
      unreadBytesMax: gateway.config.OUTBOX_BYTES_MAX,
    };
    this.#server.on('wsClientError', (error, socket) =>
      refuse(socket, new AppError('malformed', { detail: error.message })),
    );
  }

  /** What a plain request to the address gets. */
  static mountPlainRoute(fastify: FastifyInstance): void {
    fastify.get(path, { exposeHeadRoute: false }, (_request, reply) => {
      reply.header('upgrade', 'websocket');
      throw new AppError('upgrade_required');
    });
  }

  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
        serveWithoutUpgrade(server, request, socket, head);
        return;
      }
      const onError = () => socket.destroy();
      socket.on('error', onError);
      this.#admit(request)
        .then((admitted) => {
          socket.off('error', onError);
          this.#upgrade(request, socket as Socket, head, admitted);
        })
        .catch((error: unknown) => this.#refused(socket, error));
    });
    const { pings, asked, unreadBytesMax } = this.#shared;
    const sweeper = setInterval(() => {
      for (const pulse of asked.takeLate()) pulse.late(unreadBytesMax);
    }, sweepMs).unref();
    pings.start();
    server.once('close', () => {
      clearInterval(sweeper);
      pings.stop();
    });
  }

  /** The bearer, when the request names one; a browser's socket can't and sends an `auth` frame. */
  async #admit(request: IncomingMessage): Promise<Admitted> {
    // Not by `URL`, which throws at what a request line may hold.
    const [pathname, query = ''] = request.url?.split('?', 2) ?? [];
    if (pathname !== path) throw new AppError('not_found', { detail: `WebSockets are at ${path}` });
    if (!this.#isOriginAllowed(request)) throw new AppError('forbidden', { detail: 'the origin is not allowed' });
    if (this.#gateway.desk.isClosed) throw new AppError('draining');
    await this.#gateway.pace.next();
    const access = await this.#bearer(query, request);
    await this.#gateway.pace.next();
    const isOfEvents = protocolOf(request) === cloudEventsProtocol;
    return { access, events: isOfEvents ? await admitEventSocket(this.#gateway, access, query) : undefined };
  }

  async #bearer(query: string, request: IncomingMessage): Promise<Access | undefined> {
    const ticket = new URLSearchParams(query).get('ticket');
    if (ticket !== null) return this.#ticketBearer(ticket, request);
    const token = bearerToken(request.headers.authorization);
    return token === undefined ? undefined : this.#gateway.verifier.verify(token);
  }

  async #ticketBearer(ticket: string, { headers }: IncomingMessage): Promise<Access> {
    if (!ticketText.test(ticket)) throw new AppError('ticket_refused');
    const { authorization } = headers;
    return (await redeemTicket(this.#gateway, { authorization }, { transport: 'ws', ticket })).access;
  }

  /** Programs send no origin. Pages of other sites must be listed: browsers don't hold sockets to the same-origin rule. */
  #isOriginAllowed({ headers }: IncomingMessage): boolean {
    const { origin, host } = headers;
    if (origin === undefined) return true;
    const { CORS_ORIGINS, PUBLIC_URL } = this.#gateway.config;
    if (CORS_ORIGINS.includes(origin)) return true;
    if (PUBLIC_URL !== undefined && new URL(PUBLIC_URL).origin === origin) return true;
    return origin === `http://${host}` || origin === `https://${host}`;
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer, { access, events }: Admitted): void {
    if (socket.destroyed) return;
    // The deadline of the request is met; an open socket has none.
    socket.setTimeout(0);
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      if (events !== undefined) return this.#openEvents(webSocket, socket, events);
      const connection = this.#open(webSocket, socket);
      if (webSocket.protocol !== webSocketProtocol && request.headers['sec-websocket-protocol'] !== undefined) {
        webSocket.close(
          closeCodes.protocol_error.code,
          `the subprotocols are ${webSocketProtocol} and ${cloudEventsProtocol}`,
        );
        return;
      }
      if (access !== undefined) connection.greet(access);
    });
  }

  /** Apart from where the request is: what is made here lives as long as the connection, and would keep it. */
  #open(webSocket: WebSocket, socket: Socket): SocketConnection {
    return new SocketConnection({ gateway: this.#gateway, webSocket, socket, shared: this.#shared });
  }

  #openEvents(webSocket: WebSocket, socket: Socket, admission: EventSocketAdmission): void {
    void new EventSocket({ gateway: this.#gateway, webSocket, socket, admission, shared: this.#shared });
  }

  #refused(socket: Duplex, error: unknown): void {
    const refusal = appErrorFrom(error);
    if (refusal === undefined) this.#gateway.context.logger.error({ event: 'upgrade.failed', err: error });
    refuse(socket, refusal ?? new AppError('internal'));
  }
}

function refuse(socket: Duplex, error: AppError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(error.toProblem());
  const headers = { ...problemHeaders(error), 'content-length': Buffer.byteLength(body), connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${lines.join('')}\r\n${body}`, () =>
    socket.destroy(),
  );
}
