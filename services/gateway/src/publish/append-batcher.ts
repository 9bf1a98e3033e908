import { appendResponseSchema, limits, type AppendItem, type AppendOutcome } from '@boardwire/contracts';
import { AppError, type InternalClient } from '@boardwire/service-kit';

export interface AppendObserver {
  onBatch: (events: number) => void;
  onWait: (seconds: number) => void;
}

interface Waiting {
  /** The item as JSON: written once, measured and sent. */
  json: string;
  bytes: number;
  since: number;
  settle: (outcome: AppendOutcome | AppError) => void;
}

const requestBytesMax = 4 * limits.batchBytesMax;
/** One publisher's batch must always fit behind others. */
const queueEventsMax = limits.appendQueueEventsMax;

/**
 * Takes events to chat. While a request for a board is under way the next events queue, and ride together when it
 * comes back: the slower chat is, the larger the batches. The queue is bounded for all boards together.
 */
export class AppendBatcher {
  readonly #chat: InternalClient;
  readonly #observer: AppendObserver;
  readonly #queues = new Map<string, Waiting[]>();
  #waiting = 0;

  constructor(chat: InternalClient, observer: AppendObserver) {
    this.#chat = chat;
    this.#observer = observer;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** One outcome for each item, in their order; an AppError where chat could not answer for it. */
  append(board: string, items: readonly AppendItem[]): Promise<(AppendOutcome | AppError)[]> {
    if (this.#waiting + items.length > queueEventsMax) {
      return Promise.resolve(items.map(() => new AppError('overloaded', { detail: 'too many events wait' })));
    }
    const queue = this.#queues.get(board);
    const entering = queue ?? [];
    const outcomes = items.map((item) => this.#enter(entering, item));
    if (queue === undefined) {
      this.#queues.set(board, entering);
      void this.#work(board, entering);
    }
    return Promise.all(outcomes);
  }

  #enter(queue: Waiting[], item: AppendItem): Promise<AppendOutcome | AppError> {
    this.#waiting += 1;
    return new Promise((settle) => {
      const json = JSON.stringify(item);
      queue.push({ json, bytes: Buffer.byteLength(json), since: performance.now(), settle });
    });
  }

  /** Ends when the board's queue is empty. */
  async #work(board: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const batch = takeBatch(queue);
      this.#observer.onBatch(batch.length);
      this.#observer.onWait((performance.now() - batch[0]!.since) / 1_000);
      // oxlint-disable-next-line no-await-in-loop -- one request for a board at a time
      await this.#send(board, batch);
      this.#waiting -= batch.length;
    }
    this.#queues.delete(board);
  }

  /** Never rejects. A refusal of the whole request is one of its events' fault: the others must not pay for it. */
  async #send(board: string, batch: readonly Waiting[]): Promise<void> {
    try {
      const { outcomes } = await this.#chat.request({
        method: 'POST',
        path: `/internal/v1/boards/${encodeURIComponent(board)}/events`,
        route: '/internal/v1/boards/{board}/events',
        headers: { 'content-type': 'application/json' },
        body: `{"items":[${batch.map(({ json }) => json).join(',')}]}`,
        schema: appendResponseSchema,
      });
      for (const [at, { settle }] of batch.entries()) settle(outcomes[at] ?? new AppError('upstream_unavailable'));
    } catch (error) {
      const refusal = error instanceof AppError ? error : new AppError('internal', { cause: error });
      if ([400, 413].includes(refusal.status) && batch.length > 1) {
        const half = Math.ceil(batch.length / 2);
        await this.#send(board, batch.slice(0, half));
        await this.#send(board, batch.slice(half));
        return;
      }
      for (const { settle } of batch) settle(refusal);
    }
  }
}

function takeBatch(queue: Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  for (const waiting of queue) {
    bytes += waiting.bytes;
    if (count > 0 && (count === limits.appendBatchEventsMax || bytes > requestBytesMax)) break;
    count += 1;
  }
  return queue.splice(0, count);
}
