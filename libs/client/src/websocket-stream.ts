import {
  closeAdvice,
  errorTable,
  webSocketProtocol,
  type ClientFrame,
  type EventFrame,
  type ServerFrame,
  type StateAnswer,
  type StoredEvent,
} from '@boardwire/contracts';
import { BoardwireError } from './errors.ts';
import type { OpenStream, StreamEnd, StreamListener, StreamRequest, StreamSignal, StreamTransport } from './stream.ts';

/** What is needed of a WebSocket: browsers' own and the `ws` package's both have it. */
export interface SocketLike {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}
export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

const subscriptionName = 'board';
const authRequest = 'auth';
const typingRequest = 'typing';
const presenceGrace = new Set(['not_implemented', 'not_found', 'invalid']);

/** One subscription on one WebSocket of the protocol `boardwire.v1`. */
export function webSocketTransport(socketConstructor: SocketConstructor): StreamTransport {
  return (request, listener) => new WebSocketStream(request, listener, socketConstructor);
}

class WebSocketStream implements OpenStream {
  readonly #socket: SocketLike;
  readonly #request: StreamRequest;
  readonly #listener: StreamListener;
  #isOver = false;
  #hasSubscribed = false;
  #hasOpened = false;
  #awaitsPresence = false;

  constructor(request: StreamRequest, listener: StreamListener, socketConstructor: SocketConstructor) {
    this.#request = request;
    this.#listener = listener;
    const url = `${request.baseUrl.replace(/^http/, 'ws')}/v1/ws`;
    const socket = new socketConstructor(url, [webSocketProtocol]);
    this.#socket = socket;
    // The token goes in a frame: it stays out of addresses and logs, and browsers can't set headers here.
    socket.onopen = () => this.authenticate(request.token);
    socket.onmessage = ({ data }: { data: unknown }) => this.#receive(data);
    socket.onclose = (event: { code: number; reason?: string }) => this.#closed(event.code, event.reason);
    // A failure is always followed by `close`, which carries the code.
    socket.onerror = () => undefined;
  }

  close(): void {
    this.#isOver = true;
    this.#socket.close(1000);
  }

  authenticate(token: string): boolean {
    this.#send({ type: 'auth', token, req: authRequest });
    return true;
  }

  typing(subject: string, on: boolean): void {
    if (this.#hasOpened) this.#send({ type: 'typing', board: this.#request.board, subject, on, req: typingRequest });
  }

  #receive(data: unknown): void {
    if (this.#isOver || typeof data !== 'string') return;
    this.#listener.onActivity();
    let frame: ServerFrame | EventFrame;
    try {
      frame = JSON.parse(data) as ServerFrame | EventFrame;
    } catch (error) {
      this.#end({
        advice: 'return',
        reason: 'bad_answer',
        error: new BoardwireError('bad_answer', { cause: error }),
      });
      return;
    }
    this.#frame(frame);
  }

  #frame(frame: ServerFrame | EventFrame): void {
    switch (frame.type) {
      case 'event':
        return this.#signal({ kind: 'event', cursor: frame.cursor, event: frame.event as StoredEvent });
      case 'welcome':
        return frame.user === null ? undefined : this.#subscribe();
      case 'ack':
        return frame.req === authRequest ? this.#subscribe() : undefined;
      case 'fail':
        return this.#failed(frame);
      case 'resumed':
        this.#opened();
        return this.#signal({ kind: 'resumed', from: frame.cursor });
      case 'reset':
        this.#opened();
        return this.#signal({ kind: 'reset', reset: frame });
      case 'caught_up':
        return this.#signal({ kind: 'caught_up', cursor: frame.cursor });
      case 'state':
        return this.#signal({ kind: 'snapshot', state: frame.answer as StateAnswer });
      case 'skipped':
        return this.#signal({ kind: 'skipped', count: frame.count });
      case 'heartbeat': {
        const cursor = frame.cursors[subscriptionName];
        return cursor === undefined ? undefined : this.#signal({ kind: 'cursor', cursor });
      }
      case 'presence':
        return this.#presence(frame);
      case 'typing':
        return frame.board === this.#request.board ? this.#signal({ kind: 'typing', ...typingOf(frame) }) : undefined;
      case 'stalled':
        return this.#signal({ kind: 'stalled', since: frame.since, reason: frame.reason });
      case 'live':
        return this.#signal({ kind: 'unstalled' });
      case 'reconnect':
        return this.#end({ advice: 'return', reason: frame.reason, afterMs: frame.afterMs });
      case 'revoked':
        return this.#end({ advice: 'new_token', reason: 'revoked' });
      case 'pong':
    }
  }

  #subscribe(): void {
    if (this.#hasSubscribed) return;
    this.#hasSubscribed = true;
    const { board, subjects, types, after, last, snapshot, overflow } = this.#request;
    this.#send({
      type: 'subscribe',
      sub: subscriptionName,
      board,
      subjects: [...subjects],
      ...(types.length > 0 ? { types: [...types] } : {}),
      ...(after !== undefined ? { after } : last !== undefined ? { last } : {}),
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(overflow === undefined ? {} : { overflow }),
    });
  }

  #opened(): void {
    if (this.#hasOpened) return;
    this.#hasOpened = true;
    if (!this.#request.wantsPresence) return;
    this.#awaitsPresence = true;
    this.#send({ type: 'presence', sub: subscriptionName });
  }

  #presence(frame: Extract<ServerFrame, { type: 'presence' }>): void {
    this.#awaitsPresence = false;
    if (frame.event === 'list') this.#signal({ kind: 'presence_list', users: frame.users, count: frame.count });
    else this.#signal({ kind: 'presence_change', event: frame.event, user: frame.user, count: frame.count });
  }

  #failed(frame: Extract<ServerFrame, { type: 'fail' }>): void {
    // A gateway that can't tell who is here still delivers events.
    if (this.#awaitsPresence && presenceGrace.has(frame.code)) return;
    // Whoever may not be seen typing can still read.
    if (frame.req === typingRequest) return;
    const { code, detail, errors, retryAfterMs } = frame;
    const error = new BoardwireError(code, { detail, errors, retryAfterMs });
    const { status, retry } = errorTable[code];
    const advice = status === 401 ? 'new_token' : retry ? 'return_later' : 'stop';
    this.#end({ advice, reason: code, afterMs: retryAfterMs, error });
  }

  #closed(code: number, reason: string | undefined): void {
    const advice = closeAdvice(code);
    const error =
      advice === 'stop' ? new BoardwireError('socket_closed', { detail: reason || `closed with ${code}` }) : undefined;
    this.#end({ advice, reason: `close ${code}`, error });
  }

  #send(frame: ClientFrame): void {
    if (!this.#isOver) this.#socket.send(JSON.stringify(frame));
  }

  #signal(signal: StreamSignal): void {
    if (!this.#isOver) this.#listener.onSignal(signal);
  }

  #end(end: StreamEnd): void {
    if (this.#isOver) return;
    this.close();
    this.#listener.onEnd(end);
  }
}

function typingOf({ subject, user, on }: Extract<ServerFrame, { type: 'typing' }>) {
  return { subject, user, on };
}
