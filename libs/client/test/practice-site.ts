import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import {
  eventFrame,
  formatCursor,
  matchesFilter,
  parseCursor,
  problem,
  sseBlock,
  webSocketProtocol,
  type ErrorCode,
  type StoredEvent,
} from '@boardwire/contracts';
import { WebSocketServer, type WebSocket } from 'ws';

/** How a subscriber of the practice site is spoken to, whichever way it came. */
interface Listener {
  user: string;
  subjects: string[];
  send(seq: number, event: StoredEvent): void;
  say(name: string, body: Record<string, unknown>, cursor: string): void;
  heartbeat(cursor: string): void;
  reconnect(afterMs: number): void;
  presence?: () => void;
  end(code: number): void;
}

interface Opening {
  after: string | null;
  last: string | null;
}

/**
 * One board of a site in a hundred lines, to practise the client's parser and its ways of coming back. It has faults on
 * demand; what it does right is what the contracts say. The real site is met in the platform tests.
 */
export class PracticeSite {
  epoch = 'practice';
  readonly log: StoredEvent[] = [];
  readonly listeners = new Set<Listener>();
  readonly requests: string[] = [];
  /** Answers the next requests whose path contains the key with a refusal, one each. */
  readonly refusals: { path: string; code: ErrorCode; retryAfterMs?: number; isStoredFirst?: boolean }[] = [];
  acceptsToken: (token: string) => boolean = () => true;
  accessTokenMs = 900_000;
  /** Greets twice what was sent once, as a site that lost its place would. */
  repeatsFrom = 0;
  /** Goes on this much after the cursor given, and says nothing of the gap. */
  skips = 0;
  tokens = 0;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** For pages: whatever is not part of the site's API. */
  fallback: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
    refuse(response, 'not_found');

  async start(port = this.#port): Promise<void> {
    const server = createServer((request, response) => void this.#handle(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    const webSockets = new WebSocketServer({ server, path: '/v1/ws', handleProtocols: () => webSocketProtocol });
    webSockets.on('connection', (socket) => this.#webSocket(socket));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** As a crash would: every connection is cut. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    this.cut();
    await closed;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.listeners.clear();
  }

  cursor(seq = this.log.length): string {
    return formatCursor(this.epoch, seq);
  }

  post(
    data: unknown,
    { id = `e${this.log.length + 1}`, subject = 'AxonChat.lobby', author = 'u1', type = 'note' } = {},
  ) {
    const known = this.log.findIndex((event) => event.id === id && event.author === author);
    if (known !== -1) return known + 1;
    const event = {
      specversion: '1.0',
      id,
      source: `/users/${author}`,
      type,
      subject,
      time: new Date().toISOString(),
      data,
      board: 'events',
      author,
      authorname: author.replace(/^u-/, ''),
      origin: 'practice',
      class: 'log',
    } as StoredEvent;
    this.log.push(event);
    for (const listener of this.listeners) this.#deliver(listener, this.log.length);
    return this.log.length;
  }

  #deliver(listener: Listener, seq: number): void {
    const event = this.log[seq - 1]!;
    if (listener.subjects.some((filter) => matchesFilter(filter, event.subject))) listener.send(seq, event);
  }

  #subscribe(listener: Listener, { after, last }: Opening): void {
    const head = this.log.length;
    const wanted = after === 'start' ? this.cursor(0) : after;
    const place = wanted === null ? undefined : parseCursor(wanted);
    const matching = this.log.flatMap((event, at) =>
      listener.subjects.some((filter) => matchesFilter(filter, event.subject)) ? [at + 1] : [],
    );
    this.listeners.add(listener);
    if (place !== undefined && (place.epoch !== this.epoch || place.seq > head)) {
      const reason = place.epoch === this.epoch ? 'unknown' : 'epoch';
      listener.say('reset', { requested: wanted, reason, oldest: this.cursor(0), head: this.cursor() }, this.cursor());
      listener.say('caught_up', { head: this.cursor() }, this.cursor());
      return;
    }
    const newest = last === null ? [] : matching.slice(-Number(last));
    const from = (place?.seq ?? (newest.length > 0 ? newest[0]! - 1 : head)) + this.skips;
    const replay = matching.filter((seq) => seq > from - this.repeatsFrom);
    const opening = { from: this.cursor(from), head: this.cursor(), replayed: replay.length, epoch: this.epoch };
    listener.say('resumed', opening, this.cursor(from));
    for (const seq of replay) this.#deliver(listener, seq);
    listener.say('caught_up', { head: this.cursor() }, this.cursor());
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    let text = '';
    for await (const chunk of request) text += String(chunk);
    this.requests.push(`${request.method} ${url.pathname}`);
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    const user = userOf((request.headers.authorization ?? '').replace('Bearer ', ''));
    const at = this.refusals.findIndex(({ path }) => url.pathname.includes(path));
    if (at !== -1) {
      const [{ code, retryAfterMs, isStoredFirst }] = this.refusals.splice(at, 1) as [(typeof this.refusals)[0]];
      if (isStoredFirst === true) this.#publish(body, user);
      refuse(response, code, retryAfterMs);
    } else if (url.pathname.startsWith('/v1/auth/')) this.#account(url.pathname, body, response);
    else if (!url.pathname.startsWith('/v1/')) this.fallback(request, response);
    else if (!this.acceptsToken((request.headers.authorization ?? '').replace('Bearer ', ''))) {
      refuse(response, 'token_expired');
    } else if (url.pathname.endsWith('/stream')) this.#stream(url, user, response);
    else if (url.pathname.endsWith('/presence')) answer(response, 200, this.#present());
    else if (request.method === 'POST') this.#posted(body, user, response);
    else if (url.pathname.endsWith('/events')) this.#history(url, response);
    else answer(response, 200, { boards: [this.#board()] });
  }

  #account(path: string, body: Record<string, unknown>, response: ServerResponse): void {
    if (path.endsWith('/logout')) return answer(response, 200, {});
    const name = String(body['nickname'] ?? body['name'] ?? body['refreshToken']);
    this.tokens += 1;
    answer(response, 201, {
      accessToken: `${name}~${this.tokens}`,
      expiresAt: new Date(Date.now() + this.accessTokenMs).toISOString(),
      refreshToken: name,
      user: { id: `u-${name}`, name, roles: ['guest'] },
    });
  }

  #posted(body: Record<string, unknown>, user: string, response: ServerResponse): void {
    if (!Array.isArray(body)) return answer(response, 201, this.#publish(body, user));
    const outcomes = (body as Record<string, unknown>[]).map((each) =>
      each['type'] === 'refused'
        ? { id: each['id'], status: 400, code: 'invalid_event' }
        : { ...this.#publish(each, user), status: 201 },
    );
    answer(response, 200, outcomes);
  }

  #publish(event: Record<string, unknown>, author: string) {
    const { id, subject, type, data } = event as { id: string; subject: string; type: string; data: unknown };
    const seq = this.post(data, { id, subject, type, author });
    return { id, board: 'events', seq, cursor: this.cursor(seq), time: this.log[seq - 1]!.time };
  }

  #history(url: URL, response: ServerResponse): void {
    const limit = Number(url.searchParams.get('limit') ?? 50);
    const before = parseCursor(url.searchParams.get('before') ?? '')?.seq ?? Infinity;
    const filters = url.searchParams.getAll('subject');
    const items = this.log.map((event, index) => ({ cursor: this.cursor(index + 1), seq: index + 1, ...event }));
    const events = items.filter(
      ({ seq, subject }) => seq < before && (filters.length === 0 || filters.some((f) => matchesFilter(f, subject))),
    );
    const shown = events.slice(-limit);
    const prev = shown.length < events.length ? shown[0]!.cursor : null;
    const page = { board: 'events', epoch: this.epoch, oldest: this.cursor(0), head: this.cursor(), next: null, prev };
    answer(response, 200, { ...page, events: shown });
  }

  #stream(url: URL, user: string, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sseBlock({ retryMs: 20 }));
    const listener: Listener = {
      user,
      subjects: url.searchParams.getAll('subject'),
      send: (seq, event) => response.write(sseBlock({ id: this.cursor(seq), data: JSON.stringify(event) })),
      say: (event, body, id) => response.write(sseBlock({ id, event, data: JSON.stringify(body) })),
      heartbeat: (id) => response.write(sseBlock({ id })),
      reconnect: (afterMs) => {
        response.write(sseBlock({ event: 'reconnect', data: JSON.stringify({ reason: 'drain', afterMs }) }));
        response.end();
      },
      end: () => response.end(),
    };
    response.on('close', () => this.listeners.delete(listener));
    this.#subscribe(listener, { after: url.searchParams.get('after'), last: url.searchParams.get('last') });
  }

  #webSocket(socket: WebSocket): void {
    let listener: Listener | undefined;
    const send = (frame: Record<string, unknown>) => socket.send(JSON.stringify(frame));
    let user = '';
    socket.on('close', () => {
      if (listener !== undefined) this.listeners.delete(listener);
      this.#announce();
    });
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString('utf8')) as Record<string, string> & { subjects: string[] };
      if (frame['type'] === 'auth') {
        if (!this.acceptsToken(frame['token']!)) return socket.close(4001);
        user = userOf(frame['token']!);
        this.requests.push(`auth ${frame['token']}`);
        send({ type: 'ack', req: frame['req'] });
      } else if (frame['type'] === 'subscribe') {
        listener = this.#webSocketListener(socket, user, frame['sub']!, frame.subjects);
        this.#subscribe(listener, { after: frame['after'] ?? null, last: frame['last'] ?? null });
      } else if (frame['type'] === 'presence') {
        listener!.presence = () => send({ type: 'presence', sub: frame['sub'], event: 'list', ...this.#present() });
        this.#announce();
      }
    });
    send({ type: 'welcome', protocol: webSocketProtocol, connection: 'c1', user: null });
  }

  #webSocketListener(socket: WebSocket, user: string, sub: string, subjects: string[]): Listener {
    const send = (frame: Record<string, unknown>) => socket.send(JSON.stringify(frame));
    return {
      user,
      subjects,
      send: (seq, event) => socket.send(eventFrame(JSON.stringify(sub), this.cursor(seq), JSON.stringify(event))),
      say: (type, body, cursor) => send({ type, sub, cursor, ...body }),
      heartbeat: (cursor) => send({ type: 'heartbeat', cursors: { [sub]: cursor } }),
      reconnect: (afterMs) => {
        send({ type: 'reconnect', reason: 'drain', afterMs });
        socket.close(1012);
      },
      end: (code) => socket.close(code),
    };
  }

  #announce(): void {
    for (const { presence } of this.listeners) presence?.();
  }

  #present() {
    const users = [...new Set([...this.listeners].map(({ user }) => user))];
    return { count: users.length, users: users.map((id) => ({ id, name: id.replace(/^u-/, '') })) };
  }

  #board() {
    return {
      slug: 'events',
      id: 8,
      title: 'Realtime Event Board',
      is_realtime: true,
      time_zone: 'UTC',
      retention: { days: null },
      rules: [],
      federation_room_id: null,
      trusted_peers: [],
      epoch: this.epoch,
      head: this.log.length,
    };
  }
}

/** Tokens of the practice site are `<name>~<number>`. */
function userOf(token: string): string {
  return `u-${token.split('~')[0]}`;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, code: ErrorCode, retryAfterMs?: number): void {
  const body = problem(code, { retryAfterMs });
  answer(response, body.status, body);
}
