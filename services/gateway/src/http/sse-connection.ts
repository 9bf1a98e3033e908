import { limits, sseHeartbeat, type ReconnectReason, type Stalled } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { ConnectionDesk } from '../connections/desk.ts';
import type { EndReason, OpenConnection } from '../connections/open-connection.ts';
import { Outbox, type OutboxBounds } from '../delivery/outbox.ts';
import type { SseFormat } from '../delivery/sse-format.ts';
import type { OpenSubscription } from '../delivery/subscriptions.ts';
import type { Access } from '../rights/access.ts';
import { jittered } from './jitter.ts';
import type { EventStream } from './event-stream.ts';

const replacedReturnMs = 60_000;

export interface SseConnectionOptions {
  access: Access;
  stream: EventStream;
  format: SseFormat;
  bounds: OutboxBounds;
  desk: ConnectionDesk;
  /** Opens the one subscription of this stream. */
  subscribe(outbox: Outbox, onFailed: (error: unknown) => void): OpenSubscription;
}

/** One event stream and its subscription. */
export class SseConnection implements OpenConnection {
  readonly number: number;
  readonly openedAt = Math.round(performance.now());
  readonly transport = 'sse';
  readonly access: Access;
  readonly outbox: Outbox;
  readonly #stream: EventStream;
  readonly #format: SseFormat;
  readonly #desk: ConnectionDesk;
  #subscription: OpenSubscription | undefined;
  #code = 'client';

  constructor(options: SseConnectionOptions) {
    const { access, stream, format, bounds, desk } = options;
    this.#stream = stream;
    this.#format = format;
    this.#desk = desk;
    this.number = desk.nextNumber();
    this.access = access;
    this.outbox = new Outbox(stream.socket, {
      bytesMax: bounds.bytesMax,
      eventsMax: bounds.eventsMax,
      onOverflow: () => desk.cutSlow(this, 'outbox'),
      onDrained: desk.drained,
    });
    desk.signIn(this);
    stream.socket.once('close', () => this.#closed());
    this.outbox.write(format.text(`retry: ${jittered(limits.retryMs)}\n\n`));
    this.#subscription = options.subscribe(this.outbox, (error) =>
      this.end(error instanceof AppError && error.code === 'forbidden' ? 'revoked' : 'fault'),
    );
  }

  heartbeat(): void {
    const cursor = this.#subscription?.cursor;
    const format = this.#format;
    const now = new Date();
    this.outbox.write(format.text(cursor === undefined ? `: ${now.toISOString()}\n\n` : sseHeartbeat(cursor, now)));
  }

  tellStalled(stalled: Stalled | undefined): void {
    const format = this.#format;
    this.outbox.write(stalled === undefined ? format.live() : format.stalled(stalled));
  }

  end(reason: EndReason, afterMs = jittered(limits.retryMs)): void {
    if (this.#code !== 'client') return;
    this.#code = reason;
    this.#leave();
    this.outbox.finish(this.#lastWord(reason, afterMs), () => this.#stream.end());
  }

  #lastWord(reason: EndReason, afterMs: number): Buffer | undefined {
    const format = this.#format;
    if (reason === 'revoked') return format.revoked();
    // Coming back tells a client with its own status that the board or its right to it has gone.
    if (reason === 'gone') return undefined;
    // Two pages with one address would push each other out once a second.
    if (reason === 'replaced') return format.text(`retry: ${replacedReturnMs}\n\n`);
    return format.reconnect({ reason: reconnectReasonOf(reason), afterMs });
  }

  #leave(): void {
    this.#subscription?.end();
    this.#subscription = undefined;
  }

  #closed(): void {
    this.#leave();
    this.#desk.signOut(this, this.#code);
  }
}

function reconnectReasonOf(reason: EndReason): ReconnectReason {
  return reason === 'drain' || reason === 'rotate' || reason === 'slow' ? reason : 'busy';
}
