import { Backoff, BoardwireError, EventStreamParser } from '@boardwire/client';
import { auditEntrySchema, type AuditEntry } from '@boardwire/contracts';
import type { AuditApi } from './audit-api.ts';
import type { Filter } from './explorer-address.ts';

export type TailState = 'connecting' | 'live' | 'reconnecting' | 'refused';

export interface TailHandlers {
  onEntry: (entry: AuditEntry) => void;
  onState: (state: TailState, error?: BoardwireError) => void;
}

/** The stream says something every 15 s; one that is silent for this long is taken for dead. */
const silenceMaxMs = 40_000;

/** Entries as they are logged, from a seq on, without a gap: after any break it goes on behind the last that came. */
export class EntryTail {
  readonly #api: AuditApi;
  readonly #filter: Filter;
  readonly #handlers: TailHandlers;
  readonly #ended = new AbortController();
  readonly #backoff = new Backoff();
  #after: number;

  constructor(api: AuditApi, { filter, after }: { filter: Filter; after: number }, handlers: TailHandlers) {
    this.#api = api;
    this.#filter = filter;
    this.#after = after;
    this.#handlers = handlers;
    void this.#run();
  }

  close(): void {
    this.#ended.abort();
  }

  async #run(): Promise<void> {
    this.#handlers.onState('connecting');
    while (!this.#ended.signal.aborted) {
      /* oxlint-disable no-await-in-loop -- one stream after the other */
      const error = await this.#stream().catch((failure: unknown) => failure);
      if (this.#ended.signal.aborted) return;
      if (error instanceof BoardwireError && error.status !== undefined && !error.isRetryable) {
        return this.#handlers.onState('refused', error);
      }
      this.#handlers.onState('reconnecting');
      const retryAfterMs = error instanceof BoardwireError ? error.retryAfterMs : undefined;
      await pause(retryAfterMs ?? this.#backoff.next(), this.#ended.signal);
      /* oxlint-enable no-await-in-loop */
    }
  }

  /** One connection, until it breaks. */
  async #stream(): Promise<void> {
    const silent = new AbortController();
    const signal = AbortSignal.any([this.#ended.signal, silent.signal]);
    const response = await this.#api.tail(this.#filter, this.#after, signal);
    const reader = response.body!.getReader();
    this.#handlers.onState('live');
    this.#backoff.reset();
    const parser = new EventStreamParser({
      onMessage: (message) => this.#take(message.data),
      // How far the log was looked through, though nothing matched: it need not be looked through again.
      onIdOnly: (id) => (this.#after = Math.max(this.#after, Number(id))),
      onRetry: () => undefined,
    });
    for (;;) {
      const timer = setTimeout(() => silent.abort(), silenceMaxMs);
      // oxlint-disable-next-line no-await-in-loop -- a stream is read in its order
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      parser.push(value);
    }
  }

  #take(data: string): void {
    const entry = auditEntrySchema.parse(JSON.parse(data));
    // A reconnect may repeat; the order of the log tells.
    if (entry.seq <= this.#after) return;
    this.#after = entry.seq;
    this.#handlers.onEntry(entry);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
