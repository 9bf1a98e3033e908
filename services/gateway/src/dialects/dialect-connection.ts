import { limits, sseComment, type Stalled } from '@boardwire/contracts';
import type { DialectStream } from '@boardwire/dialects';
import type { ConnectionDesk } from '../connections/desk.ts';
import type { EndReason, OpenConnection } from '../connections/open-connection.ts';
import type { LogEvent } from '../delivery/board-ring.ts';
import type { LiveMember } from '../delivery/live-group.ts';
import { Outbox, type OutboxBounds } from '../delivery/outbox.ts';
import type { EventStream } from '../http/event-stream.ts';
import { jittered } from '../http/jitter.ts';
import type { Access } from '../rights/access.ts';
import { chunkOf } from './dialect-feed.ts';

export interface DialectConnectionOptions {
  access: Access;
  stream: EventStream;
  dialect: DialectStream;
  bounds: OutboxBounds;
  desk: ConnectionDesk;
  onClosed: () => void;
}

/**
 * A client of an older system. Its wire has no word for most of what ours says: it is told to come back by the end of
 * the stream and `retry:`, and gets the newest state when it does.
 */
export class DialectConnection implements OpenConnection, LiveMember {
  readonly number: number;
  readonly openedAt = Math.round(performance.now());
  readonly transport = 'dialect';
  readonly access: Access;
  readonly outbox: Outbox;
  readonly #options: DialectConnectionOptions;
  #code = 'client';
  #wroteAt = performance.now();
  joinedAt = 0;

  constructor(options: DialectConnectionOptions) {
    const { access, stream, bounds, desk } = options;
    this.#options = options;
    this.access = access;
    this.number = desk.nextNumber();
    this.outbox = new Outbox(stream.socket, {
      ...bounds,
      onOverflow: () => desk.cutSlow(this, 'outbox'),
      onDrained: desk.drained,
    });
    desk.signIn(this);
    stream.socket.once('close', () => {
      options.onClosed();
      desk.signOut(this, this.#code);
    });
  }

  get isOver(): boolean {
    return this.outbox.isSealed;
  }

  open(snapshot: Buffer): void {
    const { dialect } = this.#options;
    this.#write(snapshot, dialect.snapshot.last);
    this.#write(this.#text(sseComment(dialect.openingComment)));
  }

  deliver(bytes: Buffer, events: readonly LogEvent[]): void {
    this.#write(bytes, events.length);
  }

  #write(bytes: Buffer, events = 0): void {
    this.outbox.write(bytes, events);
    this.#wroteAt = performance.now();
  }

  heartbeat(): void {
    const { dialect } = this.#options;
    if (performance.now() - this.#wroteAt < dialect.keepaliveMs) return;
    this.#write(this.#text(sseComment(dialect.keepaliveComment)));
  }

  tellStalled(_stalled: Stalled | undefined): void {}

  onReset(): void {
    this.end('fault');
  }

  onBehind(): void {
    this.end('slow');
  }

  onInterrupted(): void {
    this.end('fault');
  }

  fail(): void {
    this.end('fault');
  }

  end(reason: EndReason, afterMs = jittered(limits.retryMs)): void {
    if (this.#code !== 'client') return;
    this.#code = reason;
    const { stream, onClosed } = this.#options;
    onClosed();
    const isBack = reason !== 'revoked' && reason !== 'gone';
    this.outbox.finish(isBack ? this.#text(`retry: ${afterMs}\n\n`) : undefined, () => stream.end());
  }

  #text(text: string): Buffer {
    return chunkOf(this.#options.stream.framing, text);
  }
}
