import {
  closeCodes,
  limits,
  webSocketProtocol,
  type CloseName,
  type ServerFrame,
  type Stalled,
} from '@boardwire/contracts';
import { AppError, appErrorFrom } from '@boardwire/service-kit';
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { EndReason, OpenConnection } from '../connections/open-connection.ts';
import { Outbox } from '../delivery/outbox.ts';
import { frameOf } from '../delivery/ws-format.ts';
import type { Gateway } from '../gateway.ts';
import { knownSlug } from '../http/boards.controller.ts';
import { jittered } from '../http/jitter.ts';
import type { Access } from '../rights/access.ts';
import { TokenBucket } from '../rights/token-bucket.ts';
import { readFrame, type FrameOf, type ReadFrame } from './client-frames.ts';
import { endingOf } from './ending.ts';
import { failureOf, reqOf } from './fail-frame.ts';
import { HistoryPages } from './history-pages.ts';
import { Pulse } from './pulse.ts';
import type { SocketShared } from './socket-shared.ts';
import { SocketSubscriptions } from './socket-subscriptions.ts';
import { typingFrame } from './typing-frame.ts';
import { publishFrame } from './publish-frame.ts';
import { closeLabel, textOf } from './web-socket.ts';

export interface SocketConnectionOptions {
  gateway: Gateway;
  webSocket: WebSocket;
  socket: Socket;
  shared: SocketShared;
}

const frameRate = { perSecond: limits.framesPerSocketPerSecond, burst: limits.framesPerSocketBurst };

/** One WebSocket: who it is, its frames in, its subscriptions, how it ends. */
export class SocketConnection implements OpenConnection {
  readonly number: number;
  readonly openedAt = Math.round(performance.now());
  readonly transport = 'ws';
  readonly outbox: Outbox;
  readonly #gateway: Gateway;
  readonly #webSocket: WebSocket;
  readonly #subscriptions: SocketSubscriptions;
  readonly #rate = new TokenBucket(frameRate);
  readonly #shared: SocketShared;
  readonly #pulse: Pulse;
  #access: Access | undefined;
  /** Few clients ask for one. */
  #pages: HistoryPages | undefined;
  #isEnding = false;
  #closeCode: number | undefined;
  /** Frames that came behind an `auth` whose token is still being verified. */
  #behindAuth: ReadFrame[] | undefined;

  constructor({ gateway, webSocket, socket, shared }: SocketConnectionOptions) {
    this.#gateway = gateway;
    this.#webSocket = webSocket;
    this.#shared = shared;
    this.number = gateway.desk.nextNumber();
    this.outbox = new Outbox(socket, {
      bytesMax: gateway.config.OUTBOX_BYTES_MAX,
      eventsMax: limits.outboxEventsMax,
      onOverflow: () => gateway.desk.cutSlow(this, 'outbox'),
      onDrained: gateway.desk.drained,
      onMuchWritten: () => this.#pulse.ask(),
    });
    this.outbox.share();
    this.#pulse = new Pulse(webSocket, this.outbox, {
      asked: shared.asked,
      onUnread: () => gateway.desk.cutSlow(this, 'unread'),
    });
    this.#subscriptions = new SocketSubscriptions({
      gateway,
      outbox: this.outbox,
      formats: shared.formats,
      send: (frame) => this.send(frame),
      onAllLost: () => this.end('gone'),
    });
    gateway.desk.signIn(this);
    shared.pings.add(this);
    webSocket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    webSocket.on('pong', (mark) => this.#pulse.pong(mark));
    // A reset, or a frame that breaks the protocol: the close that follows is the ordinary end.
    webSocket.on('error', () => {});
    webSocket.once('close', (code) => this.#closed(code));
  }

  get access(): Access | undefined {
    return this.#access;
  }

  /** Authenticated, by header or by the first frame. */
  greet(access: Access): void {
    if (this.#gateway.desk.connections.isFull(access)) {
      this.#gateway.metrics.rateLimited('connections');
      this.#refuse(new AppError('rate_limited', { detail: 'too many open connections' }), 'rate_limited');
      return;
    }
    this.#enter(access);
    const user = { id: access.userId, name: access.name };
    this.send({ type: 'welcome', protocol: webSocketProtocol, connection: this.#gateway.desk.idOf(this), user });
    const { stalled } = this.#gateway.stalls;
    if (stalled !== undefined) this.tellStalled(stalled);
  }

  send(frame: ServerFrame): void {
    this.outbox.write(frameOf(frame));
  }

  heartbeat(): void {
    if (this.#access !== undefined) this.send({ type: 'heartbeat', cursors: this.#subscriptions.cursors() });
  }

  tellStalled(stalled: Stalled | undefined): void {
    this.send(stalled === undefined ? { type: 'live' } : { type: 'stalled', ...stalled });
  }

  /** Sends a ping; when too many went unanswered, the peer is gone. */
  checkPulse(): void {
    if (!this.#pulse.beat()) this.#close('no_pong');
  }

  end(reason: EndReason, afterMs = jittered(limits.retryMs)): void {
    // A request for a token is refused, which names what is wrong.
    if (reason === 'nameless') return this.#refuse(new AppError('token_missing'));
    const { name, last } = endingOf(reason, afterMs);
    this.#close(name, last);
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isEnding) return;
    if (this.#rate.take(1, frameRate) > 0) {
      this.#gateway.metrics.rateLimited('frames');
      this.#refuse(new AppError('rate_limited', { detail: 'too many frames' }), 'rate_limited');
      return;
    }
    if (isBinary) return this.#refuse(new AppError('malformed', { detail: 'frames are text' }), 'protocol_error');
    const frame = readFrame(textOf(data));
    if ('wrong' in frame) {
      return this.#refuse(new AppError('malformed', { detail: frame.wrong }), 'protocol_error');
    }
    if (this.#behindAuth === undefined) this.#take(frame);
    else this.#behindAuth.push(frame);
  }

  #take(frame: ReadFrame): void {
    this.#handle(frame).catch((error: unknown) => this.#failed(frame, error));
  }

  async #handle(frame: ReadFrame): Promise<void> {
    if (frame.type === 'ping') return this.send({ type: 'pong', ...reqOf(frame) });
    if (frame.type === 'auth') return this.#authenticate(frame);
    if (this.#access === undefined) return this.#refuse(new AppError('token_missing'));
    const access = this.#gateway.verifier.current(this.#access);
    switch (frame.type) {
      case 'subscribe':
        return this.#subscribe(access, frame);
      case 'unsubscribe':
        this.#subscriptions.close(frame.sub);
        return this.#acknowledge(frame);
      case 'presence':
        this.#subscriptions.presence(access, frame);
        return this.#acknowledge(frame);
      case 'typing':
        await typingFrame(this.#gateway, access, frame, this);
        return this.#acknowledge(frame);
      case 'publish':
        return this.send(await publishFrame(this.#gateway, access, frame));
      case 'history':
        this.#pages ??= new HistoryPages(this.#gateway, this.outbox);
        return this.#pages.answer(access, frame);
    }
  }

  #acknowledge({ req }: { req?: string | number | undefined }): void {
    if (req !== undefined) this.send({ type: 'ack', req });
  }

  async #subscribe(access: Access, frame: FrameOf<'subscribe'>): Promise<void> {
    const { boards, verifier } = this.#gateway;
    if (boards.channel(frame.board) === undefined) {
      await boards.find(knownSlug(frame.board));
      if (this.#isEnding) return;
      verifier.assertStands(access);
    }
    this.#subscriptions.open(access, frame);
  }

  async #authenticate(frame: FrameOf<'auth'>): Promise<void> {
    // What the client sends behind it waits until it is known who it is; what is read already is one chunk at most.
    this.#webSocket.pause();
    this.#behindAuth = [];
    try {
      const access = await this.#gateway.verifier.verify(frame.token);
      if (this.#isEnding) return;
      if (this.#access === undefined) return this.greet(access);
      if (this.#access.userId !== access.userId) {
        return this.#refuse(new AppError('token_invalid', { detail: 'the token is another user’s' }));
      }
      this.#enter(access);
      this.#subscriptions.adopt(access);
      if (frame.req !== undefined) this.send({ type: 'ack', req: frame.req });
    } catch (error) {
      const refusal = appErrorFrom(error) ?? new AppError('internal', { cause: error });
      // Chat is away: the token may be good, and coming back may help.
      if (refusal.status >= 500) return this.end('fault', jittered(2 * limits.retryMs));
      this.#refuse(refusal);
    } finally {
      this.#webSocket.resume();
      const waiting = this.#behindAuth ?? [];
      this.#behindAuth = undefined;
      for (const [at, next] of waiting.entries()) {
        // A second `auth` makes those behind it wait again.
        if (this.#behindAuth !== undefined) {
          (this.#behindAuth as ReadFrame[]).push(...waiting.slice(at));
          break;
        }
        if (!this.#isEnding) this.#take(next);
      }
    }
  }

  #enter(access: Access): void {
    this.#access = access;
    this.#gateway.desk.connections.authenticated(this, access);
  }

  /** The request is refused; the connection stays unless it has lost its right to be. */
  #failed(frame: ReadFrame, error: unknown): void {
    const refusal = appErrorFrom(error) ?? new AppError('internal', { cause: error });
    if (refusal.code === 'internal') {
      this.#gateway.context.logger.error({ event: 'frame.failed', type: frame.type, err: error });
    }
    if (refusal.status === 401) return this.#refuse(refusal);
    const sub = 'sub' in frame ? { sub: frame.sub } : {};
    this.send({ type: 'fail', ...reqOf(frame), ...sub, ...failureOf(refusal) });
  }

  /** Says why, and closes. */
  #refuse(error: AppError, name: CloseName = 'unauthenticated'): void {
    this.#close(name, { type: 'fail', ...failureOf(error) });
  }

  #close(name: CloseName, lastWord?: ServerFrame): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#closeCode = closeCodes[name].code;
    this.#leave();
    const last = lastWord === undefined ? undefined : frameOf(lastWord);
    this.outbox.finish(last, () => this.#webSocket.close(this.#closeCode));
  }

  #leave(): void {
    this.#gateway.typing.gone(this);
    this.#subscriptions.closeAll();
  }

  /** What we ended it with counts: who has stopped reading never answers the close. */
  #closed(closedWith: number): void {
    const code = this.#closeCode ?? closedWith;
    this.#isEnding = true;
    this.#leave();
    this.#pulse.stop();
    this.#shared.pings.remove(this);
    this.#gateway.desk.signOut(this, closeLabel(code));
  }
}
