import type { RealClient } from './real-client.ts';

/** What the constructors called EventSource have in common. */
export interface EventSourceLike {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: { lastEventId: string; code?: number }) => void): void;
  close(): void;
}

const names = ['resumed', 'reset', 'caught_up', 'reconnect', 'stalled', 'live', 'revoked'];
const closed = 2;

/** An EventSource in Node, whoever wrote it. It comes back by itself; we only watch. */
export class EventSourceClient implements RealClient {
  readonly cursors: string[] = [];
  readonly names: string[] = [];
  readonly sentCursors: (string | undefined)[] = [];
  refusal: number | undefined;
  private readonly source: EventSourceLike;

  constructor(open: (onRequest: (headers: Record<string, string>) => void) => EventSourceLike) {
    this.source = open((headers) => void this.sentCursors.push(headers['last-event-id']));
    this.source.addEventListener('message', ({ lastEventId }) => void this.cursors.push(lastEventId));
    for (const name of names) this.source.addEventListener(name, () => void this.names.push(name));
    // Not all say why; that it is closed says it won't come back.
    this.source.addEventListener('error', ({ code }) => {
      if (this.source.readyState === closed) this.refusal = code ?? closed;
    });
  }

  close(): void {
    this.source.close();
  }
}
