import { limits, sseHeartbeat, type Stalled } from '@boardwire/contracts';
import { randomUUID } from 'node:crypto';
import type { ConnectionDesk } from '../connections/desk.ts';
import type { EndReason, OpenConnection } from '../connections/open-connection.ts';
import { Outbox, type OutboxBounds } from '../delivery/outbox.ts';
import type { SseFormat } from '../delivery/sse-format.ts';
import type { OpenSubscription } from '../delivery/subscriptions.ts';
import type { Access } from '../rights/access.ts';
import { jittered } from './jitter.ts';
import type { EventStream } from './event-stream.ts';

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
  readonly id = randomUUID();
  readonly transport = 'sse';
  readonly access: Access;
  readonly outbox: Outbox;
  readonly #options: SseConnectionOptions;
  readonly #signOut: (code: string) => void;
  #subscription: OpenSubscription | undefined;
  #code = 'client';

  constructor(options: SseConnectionOptions) {
    const { access, stream, format, bounds, desk } = options;
    this.#options = options;
    this.access = access;
    this.outbox = new Outbox(stream.socket, { ...bounds, onOverflow: () => this.end('slow') });
    this.#signOut = desk.signIn(this);
    stream.socket.once('close', () => this.#closed());
    this.outbox.write(format.text(`retry: ${jittered(limits.retryMs)}\n\n`));
    this.#subscription = options.subscribe(this.outbox, () => this.end('fault'));
  }

  heartbeat(): void {
    const cursor = this.#subscription?.cursor;
    const { format } = this.#options;
    const now = new Date();
    this.outbox.write(format.text(cursor === undefined ? `: ${now.toISOString()}\n\n` : sseHeartbeat(cursor, now)));
  }

  tellStalled(stalled: Stalled | undefined): void {
    const { format } = this.#options;
    this.outbox.write(stalled === undefined ? format.live() : format.stalled(stalled));
  }

  end(reason: EndReason, afterMs = jittered(limits.retryMs)): void {
    if (this.#code !== 'client') return;
    this.#code = reason;
    const { stream } = this.#options;
    this.#leave();
    this.outbox.finish(this.#lastWord(reason, afterMs), () => stream.end());
  }

  #lastWord(reason: EndReason, afterMs: number): Buffer | undefined {
    const { format } = this.#options;
    if (reason === 'revoked') return format.revoked();
    // Coming back tells a client with its own status that the board or its right to it has gone.
    if (reason === 'gone') return undefined;
    return format.reconnect({ reason: reason === 'fault' ? 'busy' : reason, afterMs });
  }

  #leave(): void {
    this.#subscription?.end();
    this.#subscription = undefined;
  }

  #closed(): void {
    this.#leave();
    this.#signOut(this.#code);
  }
}
