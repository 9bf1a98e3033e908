import {
  boardListSchema,
  boardSchema,
  ephemeralReceiptSchema,
  historyAnswerSchema,
  presenceAnswerSchema,
  sessionSchema,
  ticketAnswerSchema,
  type Board,
  type EphemeralReceipt,
  type HistoryItem,
  type Overflow,
  type PlainEvent,
  type PublishReceipt,
  type TicketAnswer,
} from '@boardwire/contracts';
import { Accounts } from './accounts.ts';
import { Backoff, type BackoffOptions } from './backoff.ts';
import { BoardwireError } from './errors.ts';
import { BoardFollow } from './follow.ts';
import type { FollowHandlers, FollowPhase } from './follow-state.ts';
import { HttpDoor, type OpenDescription, type RequestDescription } from './http-door.ts';
import { Outbox, type OutboxOptions } from './outbox.ts';
import type { Presence } from './presence-list.ts';
import { PresencePoll } from './presence-poll.ts';
import { sseTransport } from './sse-stream.ts';
import { ProvidedTokens, SessionTokens, type KeptSession, type TokenSource } from './tokens.ts';
import { webSocketTransport, type SocketConstructor } from './websocket-stream.ts';

export interface BoardwireClientOptions {
  /** Origin of the site, such as `https://board.example`. */
  baseUrl: string;
  /** A session kept from before; see {@link BoardwireClient.onSession}. */
  session?: KeptSession;
  /** Tokens from elsewhere; `session` and signing in have no effect on requests then. */
  tokenProvider?: () => Promise<string>;
  /** Needed in Node before 22: the `WebSocket` class of `ws`. */
  webSocket?: SocketConstructor;
  fetch?: typeof fetch;
  outbox?: OutboxOptions;
  /** The site's heartbeat; a stream that is silent for 2.5 of them is taken for dead. */
  heartbeatMs?: number;
  /** How often an event stream's follow asks who is here; a WebSocket is told. */
  presencePollMs?: number;
  /** Waits between attempts, of streams and of what waits to be sent. */
  backoff?: BackoffOptions;
}

export interface FollowOptions extends FollowHandlers {
  /** Filters; by default everything the token may see. */
  subjects?: readonly string[];
  types?: readonly string[];
  /** Cursor to go on from, or `start`. */
  after?: string;
  /** The newest N matching events first; ignored with `after`. Neither: only what happens from now on. */
  last?: number;
  /** `state`: the state of the board first, as `onSnapshot` tells. */
  snapshot?: 'state';
  /** What happens when this client can't keep up; by default it gets everything where events of class `log` can match. */
  overflow?: Overflow;
  transport?: 'websocket' | 'sse';
}

/** What a ticket is for: an event stream of a board, or a WebSocket. */
export type StreamTicketRequest = { board: string; subjects?: string[] } | { transport: 'ws' };

export interface StreamUrlOptions {
  /** Filters; by default everything the account may see. */
  subjects?: readonly string[];
  types?: readonly string[];
  after?: string;
  last?: number;
  /** Each event names its type, for `addEventListener`. */
  isNamed?: boolean;
}

export interface HistoryOptions {
  subjects?: readonly string[];
  types?: readonly string[];
  after?: string;
  before?: string;
  limit?: number;
  signal?: AbortSignal;
}

/** A page of a board in chronological order. Without `after` or `before` it is the newest. */
export interface BoardHistory {
  board: string;
  epoch: string;
  head: string;
  events: HistoryItem[];
  next: string | null;
  prev: string | null;
}

/** An id for an event that is to be published: give it yourself to know the event again when it comes back. */
export function newEventId(): string {
  // `randomUUID` exists only where pages are served securely; random bytes do everywhere.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The door to one site for one account, in browsers and in Node. All methods that return a promise reject with
 * {@link BoardwireError}. Follows and pending events live until `close()`.
 */
export class BoardwireClient {
  readonly accounts: Accounts;
  readonly #options: BoardwireClientOptions & { fetch: typeof fetch };
  readonly #door: HttpDoor;
  readonly #sessionTokens: SessionTokens;
  readonly #tokens: TokenSource;
  readonly #outboxes = new Map<string, Outbox>();
  readonly #follows = new Set<BoardFollow>();
  readonly #wake = () => this.wake();

  constructor(options: BoardwireClientOptions) {
    const baseUrl = options.baseUrl.replace(/\/+$/, '');
    // Browsers' fetch refuses to be called as a method of another object.
    this.#options = { ...options, baseUrl, fetch: options.fetch ?? ((input, init) => fetch(input, init)) };
    this.#door = new HttpDoor(baseUrl, this.#options.fetch, () => this.#tokens);
    this.#sessionTokens = new SessionTokens((refreshToken) => this.#refresh(refreshToken), options.session);
    this.#tokens =
      options.tokenProvider === undefined ? this.#sessionTokens : new ProvidedTokens(options.tokenProvider);
    this.accounts = new Accounts(this.#door, this.#sessionTokens);
    if (typeof globalThis.addEventListener === 'function') globalThis.addEventListener('online', this.#wake);
  }

  get session(): KeptSession | undefined {
    return this.#sessionTokens.session;
  }

  /** Tells of sign-in, renewed tokens, and the session's end (undefined). Returns the way to stop it. */
  onSession(listener: (session: KeptSession | undefined) => void): () => void {
    return this.#sessionTokens.onChange(listener);
  }

  /** Events published and not yet confirmed, on all boards. */
  get pendingEvents(): number {
    return [...this.#outboxes.values()].reduce((sum, outbox) => sum + outbox.size, 0);
  }

  /**
   * Publishes an event: pending until the promise settles, then confirmed with its place on the board, or failed.
   * Unreachable, busy and rate-limited sites are tried again with the same id; a board's events keep their order.
   */
  publish(board: string, event: PlainEvent): Promise<PublishReceipt> {
    let outbox = this.#outboxes.get(board);
    if (outbox === undefined) {
      outbox = new Outbox(board, this.#door, () => this.#tokens.accountId(), {
        ...this.#options.outbox,
        backoff: new Backoff(this.#options.backoff),
      });
      this.#outboxes.set(board, outbox);
    }
    return outbox.publish({ ...event, id: event.id ?? newEventId() });
  }

  /**
   * Publishes an event on a subject of class `ephemeral`, at once and once: it goes to who is here, and is worth nothing
   * later. Rejects when the site can't be reached.
   */
  publishEphemeral(board: string, event: PlainEvent): Promise<EphemeralReceipt> {
    const path = `/v1/boards/${encodeURIComponent(board)}/events`;
    return this.#door.request({ method: 'POST', path, body: event, answer: ephemeralReceiptSchema });
  }

  async history(board: string, options: HistoryOptions = {}): Promise<BoardHistory> {
    const { subjects, types, after, before, limit, signal } = options;
    const page = await this.#door.request({
      path: `/v1/boards/${encodeURIComponent(board)}/events`,
      query: { subject: subjects, type: types, after, before, limit },
      answer: historyAnswerSchema,
      signal,
    });
    return { ...page, events: page.events as unknown as HistoryItem[] };
  }

  async boards(signal?: AbortSignal): Promise<Board[]> {
    return (await this.#door.request({ path: '/v1/boards', answer: boardListSchema, signal })).boards;
  }

  board(slug: string): Promise<Board> {
    return this.#door.request({ path: `/v1/boards/${encodeURIComponent(slug)}`, answer: boardSchema });
  }

  presence(board: string, subjects?: readonly string[]): Promise<Presence> {
    const path = `/v1/boards/${encodeURIComponent(board)}/presence`;
    return this.#door.request({ path, query: { subject: subjects }, answer: presenceAnswerSchema });
  }

  /** A request of any route with this account's token; an answer that does not fit `answer` is `bad_answer`. */
  request<T>(description: RequestDescription<T>): Promise<T> {
    return this.#door.request(description);
  }

  /** A GET of any route with this account's token, for what is not JSON or too long to be held: the caller reads its body. */
  open(description: OpenDescription): Promise<Response> {
    return this.#door.open(description);
  }

  /**
   * A ticket for a stream of clients that can't set headers. First use within 30 s. A stream's ticket serves reconnects of
   * the same board and filters until the session ends, one open stream at a time; a socket's is used once.
   */
  streamTicket(request: StreamTicketRequest): Promise<TicketAnswer> {
    const description = { method: 'POST' as const, path: '/v1/stream-tickets', body: request };
    return this.#door.request({ ...description, answer: ticketAnswerSchema });
  }

  /** An address that a browser's own `EventSource` can open, with a fresh ticket in it: keep it out of logs. */
  async streamUrl(board: string, options: StreamUrlOptions = {}): Promise<string> {
    const { subjects = ['>'], types = [], after, last, isNamed = false } = options;
    const { ticket } = await this.streamTicket({ board, subjects: [...subjects] });
    const query = new URLSearchParams([
      ...subjects.map((subject) => ['subject', subject]),
      ...types.map((type) => ['type', type]),
      ...(after === undefined ? [] : [['after', after]]),
      ...(last === undefined ? [] : [['last', String(last)]]),
      ...(isNamed ? [['named', '1']] : []),
      ['ticket', ticket],
    ]);
    return `${this.#options.baseUrl}/v1/boards/${encodeURIComponent(board)}/stream?${query.toString()}`;
  }

  /**
   * Follows a board and comes back by itself after any break, from where it was: no gap, no duplicate, in order, or
   * `onReset`. Each follow has a connection of its own.
   */
  follow(board: string, options: FollowOptions): BoardFollow {
    const { subjects = ['>'], types = [], after, last, transport = 'websocket', onState, ...handlers } = options;
    const poll = transport === 'sse' ? this.#presencePoll(board, subjects, options.onPresence) : undefined;
    let phase: FollowPhase = 'connecting';
    const follow = new BoardFollow({
      ...handlers,
      ...this.#options,
      backoff: new Backoff(this.#options.backoff),
      board,
      subjects,
      types,
      after,
      last,
      tokens: this.#tokens,
      transport: transport === 'sse' ? sseTransport(this.#options.fetch) : this.#webSocketTransport(),
      onState: (state) => {
        if (state.phase === 'closed') this.#follows.delete(follow);
        // The site is back: what waits to be sent need not wait out its pause.
        if (state.phase === 'live' && phase !== 'live') this.#wakeOutboxes();
        phase = state.phase;
        if (phase === 'live') poll?.start();
        else poll?.stop();
        onState?.(state);
      },
    });
    this.#follows.add(follow);
    return follow;
  }

  /** Ends waits between attempts at once; browsers' `online` event calls it. */
  wake(): void {
    this.#wakeOutboxes();
    for (const follow of this.#follows) follow.wake();
  }

  /** Closes every follow; what is still pending fails with `closed`. The session stays valid on the site. */
  close(): void {
    if (typeof globalThis.removeEventListener === 'function') globalThis.removeEventListener('online', this.#wake);
    for (const follow of this.#follows) follow.close();
    for (const outbox of this.#outboxes.values()) outbox.close();
    this.#outboxes.clear();
  }

  #presencePoll(board: string, subjects: readonly string[], tell: FollowHandlers['onPresence']) {
    const everyMs = this.#options.presencePollMs ?? 10_000;
    return tell && new PresencePoll(() => this.presence(board, subjects), tell, everyMs);
  }

  #wakeOutboxes(): void {
    for (const outbox of this.#outboxes.values()) outbox.wake();
  }

  #refresh(refreshToken: string) {
    const description = { method: 'POST' as const, path: '/v1/auth/refresh', body: { refreshToken } };
    return this.#door.request({ ...description, answer: sessionSchema, isAnonymous: true });
  }

  #webSocketTransport() {
    const constructor = this.#options.webSocket ?? (globalThis.WebSocket as unknown as SocketConstructor | undefined);
    if (constructor === undefined) {
      throw new BoardwireError('closed', { detail: 'This runtime has no WebSocket; give one as `webSocket`' });
    }
    return webSocketTransport(constructor);
  }
}
