import {
  accountSource,
  batchOutcomeSchema,
  errorTable,
  eventMediaTypes,
  limits,
  publishReceiptSchema,
  type BatchOutcome,
  type PlainEvent,
  type PublishReceipt,
} from '@boardwire/contracts';
import { Backoff } from './backoff.ts';
import { asBoardwireError, BoardwireError } from './errors.ts';
import type { Contract, HttpDoor } from './http-door.ts';

export interface OutboxOptions {
  /** Events that may wait at once; one more is refused with `outbox_full`. */
  eventsMax?: number;
  /** An event that could not be sent for this long fails with `gave_up`. */
  ageMaxMs?: number;
}

type OwnEvent = PlainEvent & { id: string };

interface Waiting {
  event: OwnEvent;
  bytes: number;
  queuedAtMs: number;
  resolve(receipt: PublishReceipt): void;
  reject(error: BoardwireError): void;
}

const batchAnswer: Contract<BatchOutcome[]> = batchOutcomeSchema.array();
/** Room for the attributes that the batch form adds to each event. */
const envelopeBytes = 256;

/**
 * Sends a board's events in the order they were given: one request at a time, and what came meanwhile rides in the next
 * as a batch. An event keeps its id over all attempts, so that an attempt whose answer was lost is no second event.
 */
export class Outbox {
  readonly #board: string;
  readonly #door: HttpDoor;
  readonly #accountId: () => string | undefined;
  readonly #eventsMax: number;
  readonly #ageMaxMs: number;
  readonly #backoff: Backoff;
  readonly #waiting: Waiting[] = [];
  /** How many at the head go one by one, after a batch of them was refused as a whole. */
  #singles = 0;
  #isSending = false;
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(
    board: string,
    door: HttpDoor,
    accountId: () => string | undefined,
    options: OutboxOptions & { backoff?: Backoff } = {},
  ) {
    this.#board = board;
    this.#door = door;
    this.#accountId = accountId;
    this.#eventsMax = options.eventsMax ?? 1_000;
    this.#ageMaxMs = options.ageMaxMs ?? 10 * 60_000;
    this.#backoff = options.backoff ?? new Backoff();
  }

  get size(): number {
    return this.#waiting.length;
  }

  publish(event: OwnEvent): Promise<PublishReceipt> {
    if (this.#isClosed) return Promise.reject(new BoardwireError('closed'));
    if (this.#waiting.length >= this.#eventsMax) return Promise.reject(new BoardwireError('outbox_full'));
    return new Promise((resolve, reject) => {
      const bytes = new TextEncoder().encode(JSON.stringify(event)).length + envelopeBytes;
      this.#waiting.push({ event, bytes, queuedAtMs: Date.now(), resolve, reject });
      if (!this.#isSending) void this.#sendAll();
    });
  }

  /** Ends a wait between attempts: the network is back. */
  wake(): void {
    this.#wake?.();
  }

  close(error = new BoardwireError('closed')): void {
    this.#isClosed = true;
    for (const entry of this.#waiting.splice(0)) entry.reject(error);
    this.wake();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    // What is published in the same tick rides together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const failure = await this.#sendNext();
      if (failure === undefined) this.#backoff.reset();
      else await this.#pause(this.#backoff.next(failure.retryAfterMs));
    }
    this.#isSending = false;
  }

  /** Sends the head of the queue. Returns the failure when it is worth another attempt; nothing has left the queue then. */
  async #sendNext(): Promise<BoardwireError | undefined> {
    this.#giveUpOld();
    const batch = this.#nextBatch();
    if (batch.length === 0) return undefined;
    try {
      const outcomes = batch.length === 1 ? [await this.#sendOne(batch[0]!)] : await this.#sendBatch(batch);
      return this.#settle(batch, outcomes);
    } catch (cause) {
      const error = asBoardwireError(cause);
      if (error.isRetryable) return error;
      if (batch.length > 1 && error.status !== 401) {
        this.#singles = batch.length;
        return undefined;
      }
      for (const entry of batch) this.#finish(entry, (each) => each.reject(error));
      return undefined;
    }
  }

  #settle(batch: readonly Waiting[], outcomes: readonly BatchOutcome[]): BoardwireError | undefined {
    let failure: BoardwireError | undefined;
    for (const [at, entry] of batch.entries()) {
      const outcome = outcomes[at];
      if (outcome !== undefined && 'seq' in outcome) this.#finish(entry, (each) => each.resolve(receiptOf(outcome)));
      else {
        const error = errorOfOutcome(outcome);
        if (error.isRetryable) failure ??= error;
        else this.#finish(entry, (each) => each.reject(error));
      }
    }
    return failure;
  }

  async #sendOne({ event }: Waiting): Promise<BatchOutcome> {
    const receipt = await this.#post(event, eventMediaTypes.plain, publishReceiptSchema);
    return { ...receipt, status: 201 };
  }

  #sendBatch(batch: readonly Waiting[]): Promise<BatchOutcome[]> {
    const source = accountSource(this.#accountId() ?? '');
    const events = batch.map(({ event }) => ({ specversion: '1.0', source, ...event }));
    return this.#post(events, eventMediaTypes.batch, batchAnswer);
  }

  #post<T>(body: unknown, contentType: string, answer: Contract<T>): Promise<T> {
    const path = `/v1/boards/${encodeURIComponent(this.#board)}/events`;
    return this.#door.request({ method: 'POST', path, body, contentType, answer });
  }

  #nextBatch(): Waiting[] {
    // A batch names its source; without a known account events go one by one, where the site fills it in.
    const eventsMax = this.#singles > 0 || this.#accountId() === undefined ? 1 : limits.batchEventsMax;
    const batch: Waiting[] = [];
    let bytes = 0;
    for (const entry of this.#waiting) {
      bytes += entry.bytes;
      if (batch.length >= eventsMax || (batch.length > 0 && bytes > limits.batchBytesMax * 0.9)) break;
      batch.push(entry);
    }
    return batch;
  }

  #giveUpOld(): void {
    const oldest = Date.now() - this.#ageMaxMs;
    for (const entry of this.#waiting.filter(({ queuedAtMs }) => queuedAtMs < oldest)) {
      this.#finish(entry, (each) => each.reject(new BoardwireError('gave_up')));
    }
  }

  #finish(entry: Waiting, settle: (entry: Waiting) => void): void {
    const at = this.#waiting.indexOf(entry);
    if (at === -1) return;
    this.#waiting.splice(at, 1);
    this.#singles = Math.max(0, this.#singles - 1);
    settle(entry);
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function receiptOf({ id, board, seq, cursor, time }: PublishReceipt): PublishReceipt {
  return { id, board, seq, cursor, time };
}

function errorOfOutcome(outcome: BatchOutcome | undefined): BoardwireError {
  if (outcome?.status === 202) return new BoardwireError('bad_answer', { detail: 'the subject is ephemeral' });
  if (outcome === undefined || !('code' in outcome)) return new BoardwireError('bad_answer');
  const { code, detail, errors } = outcome;
  return new BoardwireError(code, { status: errorTable[code].status, detail, errors });
}
