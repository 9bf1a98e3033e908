import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventsIn, LineReader, streamedFeedsIn } from './carried-events.ts';
import { callerPattern } from './faulty-door.ts';

/** One event in the body of one call, whichever call that was. */
export interface Crossing {
  from: string;
  to: string;
  /** `POST stream`, `POST events` (a push), `GET events` (a page that was asked for). */
  call: string;
  /** Of the site that signed it, and its id there. */
  origin: string;
  id: string;
}

/** A stream that another site has open here. */
export interface OpenStream {
  by: string;
  /** Whose feeds it asks for. */
  feeds: readonly string[];
}

const host = '127.0.0.1';
/** Longer than any caller keeps a connection that it doesn't use. */
const keepAliveTimeout = 120_000;

/**
 * The door of a site by which others dial it: passes every call on as it came, and writes down each event that goes
 * through it, in either direction and in whatever body.
 */
export class WatchedDoor {
  readonly crossings: Crossing[] = [];
  /** Lines of bodies that it could not read. */
  readonly unread: string[] = [];
  readonly streams = new Set<OpenStream>();
  #behind = { site: '', port: 0 };

  private constructor(private readonly server: Server) {}

  static async open(): Promise<WatchedDoor> {
    const server = createServer({ keepAliveTimeout }, (incoming, response) => door.#pass(incoming, response));
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const door: WatchedDoor = new WatchedDoor(server);
    return door;
  }

  get url(): string {
    return `http://${host}:${(this.server.address() as AddressInfo).port}`;
  }

  /** Before anybody calls. */
  leadTo(behind: { site: string; port: number }): void {
    this.#behind = behind;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #pass(incoming: IncomingMessage, response: ServerResponse): void {
    const { method, url: path = '', rawHeaders: headers } = incoming;
    const outgoing = request({ host, port: this.#behind.port, method, path, headers, agent: false });
    const caller = callerPattern.exec(String(incoming.headers['signature-input']))?.[1] ?? 'somebody unsigned';
    const call = `${method} ${path.split('?')[0]!.split('/').at(-1)}`;
    this.#watch(incoming, { from: caller, to: this.#behind.site, call });
    incoming.on('error', () => outgoing.destroy()).pipe(outgoing);
    outgoing.on('error', () => response.destroy());
    outgoing.on('response', (answer) => {
      this.#watch(answer, { from: this.#behind.site, to: caller, call });
      response.writeHead(answer.statusCode!, answer.rawHeaders);
      response.flushHeaders();
      answer.on('error', () => response.destroy()).pipe(response);
    });
    response.on('close', () => outgoing.destroy());
    if (call === 'POST stream') this.#noteStream(incoming, response, caller);
  }

  #watch(body: IncomingMessage, way: Pick<Crossing, 'from' | 'to' | 'call'>): void {
    if (body.headers['content-encoding'] !== undefined) this.unread.push(`an encoded body of ${way.call}`);
    const lines = new LineReader((line) => {
      const events = eventsIn(line);
      if (events === undefined) this.unread.push(line);
      else for (const event of events) this.crossings.push({ ...way, ...event });
    });
    body.on('data', (bytes: Buffer) => lines.push(bytes)).on('end', () => lines.end());
  }

  /** From when it is asked for until either end closes it. */
  #noteStream(incoming: IncomingMessage, response: ServerResponse, by: string): void {
    const lines = new LineReader((line) => {
      const stream = { by, feeds: streamedFeedsIn(line) };
      if (response.closed) return;
      this.streams.add(stream);
      response.on('close', () => this.streams.delete(stream));
    });
    incoming.on('data', (bytes: Buffer) => lines.push(bytes)).on('end', () => lines.end());
  }
}
