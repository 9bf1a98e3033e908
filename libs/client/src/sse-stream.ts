import type {
  CaughtUp,
  CloseAdvice,
  Reconnect,
  Reset,
  Resumed,
  Skipped,
  Stalled,
  StateAnswer,
  StoredEvent,
} from '@boardwire/contracts';
import { asBoardwireError, errorOfResponse, type BoardwireError } from './errors.ts';
import { EventStreamParser, type StreamMessage } from './event-stream-parser.ts';
import type { OpenStream, StreamEnd, StreamListener, StreamRequest, StreamTransport } from './stream.ts';

/** Server-Sent Events read through `fetch`, which can send a token in a header; `EventSource` cannot. */
export function sseTransport(fetchFunction: typeof fetch): StreamTransport {
  return (request, listener) => {
    const stream = new SseStream(listener);
    void stream.run(request, fetchFunction);
    return stream;
  };
}

class SseStream implements OpenStream {
  readonly #abort = new AbortController();
  readonly #listener: StreamListener;
  #isOver = false;

  constructor(listener: StreamListener) {
    this.#listener = listener;
  }

  async run(request: StreamRequest, fetchFunction: typeof fetch): Promise<void> {
    try {
      const response = await fetchFunction(streamUrl(request), {
        headers: { accept: 'text/event-stream', authorization: `Bearer ${request.token}` },
        cache: 'no-store',
        signal: this.#abort.signal,
      });
      if (response.status !== 200 || response.body === null) this.#end(endOfRefusal(await errorOfResponse(response)));
      else await this.#read(response.body);
    } catch (error) {
      this.#end({ advice: 'return', reason: 'network', error: asBoardwireError(error) });
    }
  }

  close(): void {
    this.#isOver = true;
    this.#abort.abort();
  }

  authenticate(): boolean {
    return false;
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const parser = new EventStreamParser({
      onMessage: (message) => this.#message(message),
      onIdOnly: (id) => (id === '' ? undefined : this.#signal({ kind: 'cursor', cursor: id })),
      onRetry: (afterMs) => this.#signal({ kind: 'retry', afterMs }),
    });
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#isOver) break;
      this.#listener.onActivity();
      parser.push(value);
    }
    this.#end({ advice: 'return', reason: 'ended' });
  }

  /** By default no event carries an `event:` line, so every name is one of the server's own. */
  #message({ type, data, id: givenId }: StreamMessage): void {
    if (this.#isOver) return;
    const id = givenId === '' ? undefined : givenId;
    const body: unknown = JSON.parse(data);
    if (type === 'message') this.#signal({ kind: 'event', cursor: id, event: body as StoredEvent });
    else if (type === 'resumed') this.#signal({ kind: 'resumed', from: id ?? (body as Resumed).from });
    else if (type === 'reset') this.#signal({ kind: 'reset', reset: body as Reset });
    else if (type === 'caught_up') this.#signal({ kind: 'caught_up', cursor: id ?? (body as CaughtUp).head });
    else if (type === 'state') this.#signal({ kind: 'snapshot', state: body as StateAnswer });
    else if (type === 'skipped') this.#signal({ kind: 'skipped', count: (body as Skipped).count });
    else if (type === 'stalled') this.#signal({ kind: 'stalled', ...(body as Stalled) });
    else if (type === 'live') this.#signal({ kind: 'unstalled' });
    else if (type === 'revoked') this.#end({ advice: 'new_token', reason: 'revoked' });
    else if (type === 'reconnect') {
      const { reason, afterMs } = body as Reconnect;
      this.#end({ advice: 'return', reason, afterMs });
    }
  }

  #signal(signal: Parameters<StreamListener['onSignal']>[0]): void {
    if (!this.#isOver) this.#listener.onSignal(signal);
  }

  #end(end: StreamEnd): void {
    if (this.#isOver) return;
    this.close();
    this.#listener.onEnd(end);
  }
}

function streamUrl(request: StreamRequest): string {
  const { baseUrl, board, subjects, types, after, last, snapshot, overflow } = request;
  const query = new URLSearchParams();
  for (const subject of subjects) query.append('subject', subject);
  for (const type of types) query.append('type', type);
  if (after !== undefined) query.set('after', after);
  else if (last !== undefined) query.set('last', String(last));
  if (snapshot !== undefined) query.set('snapshot', snapshot);
  if (overflow !== undefined) query.set('overflow', overflow);
  return `${baseUrl}/v1/boards/${encodeURIComponent(board)}/stream?${query.toString()}`;
}

function endOfRefusal(error: BoardwireError): StreamEnd {
  const advice: CloseAdvice = error.status === 401 ? 'new_token' : error.isRetryable ? 'return_later' : 'stop';
  return { advice, reason: error.code, afterMs: error.retryAfterMs, error };
}
