import { closeCodes, limits, type CloseName, type Stalled } from '@boardwire/contracts';
import { AppError, appErrorFrom } from '@boardwire/service-kit';
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { EndReason, OpenConnection } from '../connections/open-connection.ts';
import { Outbox } from '../delivery/outbox.ts';
import type { OpenSubscription } from '../delivery/subscriptions.ts';
import { WsEventFormat } from '../delivery/ws-event-format.ts';
import type { Gateway } from '../gateway.ts';
import { jittered } from '../http/jitter.ts';
import { draftOf } from '../publish/draft-event.ts';
import type { Access } from '../rights/access.ts';
import { TokenBucket } from '../rights/token-bucket.ts';
import type { EventSocketAdmission } from './admit-event-socket.ts';
import { failureOf } from './fail-frame.ts';
import { Pulse } from './pulse.ts';
import type { SocketShared } from './socket-shared.ts';
import { closeLabel, textOf } from './web-socket.ts';

export interface EventSocketOptions {
  gateway: Gateway;
  webSocket: WebSocket;
  socket: Socket;
  admission: EventSocketAdmission;
  shared: SocketShared;
}

const messageRate = { perSecond: limits.framesPerSocketPerSecond, burst: limits.framesPerSocketBurst };

/**
 * One WebSocket of the CloudEvents binding: each message is one event, out what it reads, in what it publishes. The
 * binding has no answers, so a refusal is told by an event of the server's and by the close code behind it.
 */
export class EventSocket implements OpenConnection {
  readonly number: number;
  readonly openedAt = Math.round(performance.now());
  readonly transport = 'ws';
  readonly access: Access;
  readonly outbox: Outbox;
  readonly #gateway: Gateway;
  readonly #webSocket: WebSocket;
  readonly #board: string;
  readonly #format: WsEventFormat;
  readonly #rate = new TokenBucket(messageRate);
  readonly #shared: SocketShared;
  readonly #pulse: Pulse;
  #subscription: OpenSubscription | undefined;
  #isEnding = false;
  #closeCode: number | undefined;

  constructor({ gateway, webSocket, socket, admission, shared }: EventSocketOptions) {
    const { access, readable, start, overflow } = admission;
    this.#gateway = gateway;
    this.#webSocket = webSocket;
    this.#shared = shared;
    this.#board = readable.channel.board;
    this.#format = new WsEventFormat(this.#board);
    this.number = gateway.desk.nextNumber();
    this.access = access;
    const bounds = { bytesMax: gateway.config.OUTBOX_BYTES_MAX, eventsMax: limits.outboxEventsMax };
    this.outbox = new Outbox(socket, {
      ...bounds,
      onOverflow: () => gateway.desk.cutSlow(this, 'outbox'),
      onDrained: gateway.desk.drained,
      onMuchWritten: () => this.#pulse.ask(),
    });
    this.#pulse = new Pulse(webSocket, this.outbox, {
      asked: shared.asked,
      onUnread: () => gateway.desk.cutSlow(this, 'unread'),
    });
    gateway.desk.signIn(this);
    shared.pings.add(this);
    webSocket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    webSocket.on('pong', (mark) => this.#pulse.pong(mark));
    // A reset, or a frame that breaks the protocol: the close that follows is the ordinary end.
    webSocket.on('error', () => {});
    webSocket.once('close', (code) => this.#closed(code));
    const how = { format: this.#format, outbox: this.outbox, start, overflow, hasSnapshot: false };
    const onFailed = (error: unknown) => this.#failed(error);
    this.#subscription = gateway.subscriptions.open({ ...readable, ...how, onFailed });
    if (gateway.stalls.stalled !== undefined) this.tellStalled(gateway.stalls.stalled);
  }

  heartbeat(): void {
    this.outbox.write(this.#format.heartbeat(this.#subscription?.cursor));
  }

  tellStalled(stalled: Stalled | undefined): void {
    this.outbox.write(stalled === undefined ? this.#format.live() : this.#format.stalled(stalled));
  }

  /** Sends a ping; when too many went unanswered, the peer is gone. */
  checkPulse(): void {
    if (!this.#pulse.beat()) this.#close('no_pong');
  }

  end(reason: EndReason, afterMs = jittered(limits.retryMs)): void {
    switch (reason) {
      case 'revoked':
      case 'nameless':
        return this.#close('unauthenticated', this.#format.revoked());
      case 'drain':
      case 'rotate':
        return this.#close('restart', this.#format.reconnect({ reason, afterMs }));
      case 'slow':
        return this.#close('too_slow');
      case 'gone':
        return this.#close('forbidden');
      case 'replaced':
        return this.#close('normal');
      case 'fault':
        return this.#close('restart', this.#format.reconnect({ reason: 'busy', afterMs }));
    }
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isEnding) return;
    if (this.#rate.take(1, messageRate) > 0) {
      this.#gateway.metrics.rateLimited('frames');
      return this.#refuse(new AppError('rate_limited', { detail: 'too many messages' }));
    }
    if (isBinary) return this.#refuse(new AppError('malformed', { detail: 'messages are text' }));
    this.#publish(textOf(data)).catch((error: unknown) => this.#failed(error));
  }

  async #publish(text: string): Promise<void> {
    const { publisher, verifier } = this.#gateway;
    verifier.assertStands(this.access);
    const value = parsed(text);
    publisher.takeRate(this.access, 1);
    await publisher.publish(this.access, this.#board, draftOf('structured', value, this.access.userId));
  }

  #failed(error: unknown): void {
    const refusal = appErrorFrom(error);
    if (refusal === undefined) this.#gateway.context.logger.error({ event: 'message.failed', err: error });
    this.#refuse(refusal ?? new AppError('internal', { cause: error }));
  }

  #refuse(error: AppError): void {
    const { id } = error.toProblem();
    const refused = { ...(id === undefined ? {} : { id }), ...failureOf(error) };
    this.#close(closeNameOf(error), this.#format.refused(refused), error.code);
  }

  #close(name: CloseName, lastWord?: Buffer, reason = ''): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const { code } = closeCodes[name];
    this.#closeCode = code;
    this.#leave();
    this.outbox.finish(lastWord, () => this.#webSocket.close(code, reason));
  }

  #leave(): void {
    this.#subscription?.end();
    this.#subscription = undefined;
  }

  /** What we ended it with counts: who has stopped reading never answers the close. */
  #closed(closedWith: number): void {
    this.#isEnding = true;
    this.#leave();
    this.#pulse.stop();
    this.#shared.pings.remove(this);
    this.#gateway.desk.signOut(this, closeLabel(this.#closeCode ?? closedWith));
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('malformed', { detail: 'a message is one event in JSON', cause });
  }
}

/** What the client is to do next is all that a code can say. */
function closeNameOf({ status }: AppError): CloseName {
  if (status === 401) return 'unauthenticated';
  if (status === 403 || status === 404) return 'forbidden';
  if (status === 429) return 'rate_limited';
  return status >= 500 ? 'restart' : 'protocol_error';
}
