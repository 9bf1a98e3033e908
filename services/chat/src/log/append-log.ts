import type { AppendItem, AppendOutcome } from '@boardwire/contracts';
import { isConnectionError } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import type { BoardWatch, WatchedBoard } from '../boards/board-watch.ts';
import { operatorsBoard } from '../accounts/rights.ts';
import { bounds } from '../bounds.ts';
import type { ChatMetrics } from '../metrics.ts';
import { AppendBatch, isPrepared, type Submitted } from './append-batch.ts';
import { ServerReplaced, type Appended, type AppendStore } from './append-store.ts';
import { Salts, type PreparedEvent } from './event-bytes.ts';
import { MicroBatcher, type Sized } from './micro-batcher.ts';
import type { FreshRows } from './fresh-rows.ts';
import type { SubjectCatalog } from './subject-catalog.ts';
import { submitEvent, submitPublished, type SubmitContext } from './submit-event.ts';
import { submitForeignEvent } from './submit-foreign-event.ts';

export interface AppendLogOptions {
  store: AppendStore;
  subjects: SubjectCatalog;
  boards: BoardWatch;
  metrics: ChatMetrics;
  /** The site's id, once it is known. */
  origin: () => string | undefined;
  /** Takes what was committed on its way to the mirror. */
  fresh: FreshRows;
  /** Something new is in the log of some board. */
  onCommitted: () => void;
  /** A board's log ends before what this process has seen committed in that epoch. */
  onWentBack: (boardId: number, epoch: string) => void;
}

/** Events of one request, which always share a commit. */
interface AppendWork extends Sized {
  events: readonly PreparedEvent[];
  queuedMs: number;
}

/** Who writes the operators' board. What a person could post there would be taken for the site's own word. */
const operators: ReadonlySet<string> = new Set(['federation', 'audit', 'chat']);

type EventOutcomes = AppendOutcome[];

/** The way into the logs: one micro-batcher for each board. Answers only what is committed. */
export class AppendLog {
  readonly #batchers = new Map<number, MicroBatcher<AppendWork, EventOutcomes>>();
  readonly #salts = new Salts();
  #queuedBytes = 0;
  #isClosed = false;

  constructor(private readonly options: AppendLogOptions) {
    options.metrics.appendQueue(() => this.depth);
  }

  get depth(): number {
    let depth = 0;
    for (const batcher of this.#batchers.values()) depth += batcher.depth;
    return depth;
  }

  /**
   * One outcome for each item, in order, after their commit.
   * @param caller the service that asks
   * @throws AppError `board_unknown`, `overloaded`, `database_unavailable` (repeat with the same ids), `starting`
   */
  async append(slug: string, items: readonly AppendItem[], caller: string): Promise<AppendOutcome[]> {
    if (slug === operatorsBoard && !operators.has(caller)) throw new AppError('forbidden');
    return this.#append(slug, (context) => items.map((item) => submitPublished(item, context)));
  }

  /** What this service itself says on a board. @throws AppError as {@link append} */
  appendOwn(slug: string, items: readonly AppendItem[]): Promise<AppendOutcome[]> {
    return this.#append(slug, (context) => items.map((item) => submitEvent(item, context)));
  }

  /**
   * What other sites accepted, stored as it was accepted there. The same way from here on: one outcome for each item,
   * after their commit. Items are looked at one by one, so that a bad one is refused alone.
   * @throws AppError as {@link append}
   */
  appendForeign(slug: string, items: readonly unknown[]): Promise<AppendOutcome[]> {
    return this.#append(slug, (context) => items.map((item) => submitForeignEvent(item, context)));
  }

  async #append(slug: string, submit: (context: SubmitContext) => Submitted[]): Promise<AppendOutcome[]> {
    if (this.#isClosed) throw new AppError('draining');
    const origin = this.options.origin();
    if (origin === undefined) throw new AppError('starting', { detail: 'the site has no identity yet' });
    const board = await this.options.boards.find(slug);
    if (board === undefined) throw new AppError('board_unknown');
    const submitted = submit({ board, origin, now: new Date().toISOString(), salts: this.#salts });
    const outcomes = await this.#commit(board, submitted.filter(isPrepared));
    return this.#told(submitted.map((one) => (isPrepared(one) ? outcomes.shift()! : one)));
  }

  /** Takes nothing more and resolves when everything taken is committed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#batchers.values()].map((batcher) => batcher.idle()));
  }

  async #commit(board: WatchedBoard, events: readonly PreparedEvent[]): Promise<EventOutcomes> {
    if (events.length === 0) return [];
    const batcher = this.#batcherOf(board);
    const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
    if (!batcher.hasRoomFor(events.length) || this.#queuedBytes + bytes > bounds.appendQueueBytesMax) {
      throw new AppError('overloaded', { detail: 'too many events wait for their commit' });
    }
    this.#queuedBytes += bytes;
    try {
      return await batcher.add({ events, items: events.length, bytes, queuedMs: performance.now() });
    } finally {
      this.#queuedBytes -= bytes;
    }
  }

  #batcherOf(board: WatchedBoard): MicroBatcher<AppendWork, EventOutcomes> {
    let batcher = this.#batchers.get(board.id);
    if (batcher === undefined) {
      batcher = new MicroBatcher({
        commit: (works) => this.#commitBatch(board, works),
        batchItemsMax: bounds.appendBatchEventsMax,
        batchBytesMax: bounds.appendBatchBytesMax,
        queueItemsMax: bounds.appendQueueEventsMax,
        failsAll: (error) => error instanceof AppError && error.code === 'database_unavailable',
      });
      this.#batchers.set(board.id, batcher);
    }
    return batcher;
  }

  async #commitBatch(board: WatchedBoard, works: readonly AppendWork[]): Promise<EventOutcomes[]> {
    const { boards, metrics, fresh, onCommitted, onWentBack } = this.options;
    const startedMs = performance.now();
    metrics.appendWaited((startedMs - works[0]!.queuedMs) / 1_000);
    const batch = new AppendBatch();
    for (const { events } of works) for (const event of events) batch.add(event);
    const seen = { epoch: board.epoch, head: board.head };
    const appended = await orUnavailable(() => this.#store(board, batch));
    if (appended === undefined) throw new AppError('board_unknown');
    if (appended.epoch === seen.epoch && appended.base < seen.head) {
      // Some of these seqs were given out before. In its next epoch the board knows the events by their ids.
      onWentBack(board.id, seen.epoch);
      throw new AppError('database_unavailable', { detail: 'the log went back; repeat with the same ids' });
    }
    metrics.committed(batch.unique.length, (performance.now() - startedMs) / 1_000);
    const created = batch.created(appended);
    fresh.add(board.id, created);
    boards.noteAppended(board.id, appended.base + created.length);
    if (created.length > 0) onCommitted();
    const outcomeOf = batch.outcomes(appended);
    return works.map(({ events }) => events.map(outcomeOf));
  }

  async #store(board: WatchedBoard, { unique }: AppendBatch): Promise<Appended | undefined> {
    const { subjects, store } = this.options;
    const storeOnce = async () => {
      const { ids, server } = await subjects.idsOf(board.id, unique);
      const rows = unique.map((event, at) => ({ event, subjectId: ids[at]! }));
      return store.append(board.id, rows, server);
    };
    try {
      return await storeOnce();
    } catch (error) {
      if (!(error instanceof ServerReplaced)) throw error;
      subjects.forget();
      return storeOnce();
    }
  }

  #told(outcomes: AppendOutcome[]): AppendOutcome[] {
    for (const kind of ['created', 'repeated', 'refused'] as const) {
      this.options.metrics.answered(kind, outcomes.filter(({ outcome }) => outcome === kind).length);
    }
    return outcomes;
  }
}

async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isConnectionError(error)) throw error;
    throw new AppError('database_unavailable', { detail: 'repeat with the same ids', cause: error });
  }
}
