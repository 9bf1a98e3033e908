import { boardsStream } from '@boardwire/contracts';
import { AdvisoryLock, isConnectionError, type Database } from '@boardwire/database';
import type { AckedPublisher, Bus } from '@boardwire/messaging';
import type { Logger, Loop } from '@boardwire/service-kit';
import type { BoardWatch, WatchedBoard } from '../boards/board-watch.ts';
import { bounds } from '../bounds.ts';
import type { ChatMetrics } from '../metrics.ts';
import { BoardRelay } from './board-relay.ts';
import type { EpochGuard } from './epoch-guard.ts';
import type { FreshRows } from './fresh-rows.ts';
import { MirrorRebuild } from './mirror-rebuild.ts';
import type { RelayStore } from './relay-store.ts';
import { RelayWindow } from './relay-window.ts';

export interface RelayOptions {
  database: Database;
  bus: Bus;
  boards: BoardWatch;
  store: RelayStore;
  fresh: FreshRows;
  epochs: EpochGuard;
  metrics: ChatMetrics;
  logger: Logger;
}

/**
 * Mirrors the logs into JetStream. One replica leads; it wakes by what it appends itself, by other replicas' hints, and
 * by the look at all heads every 100 ms. While NATS is away the log is the queue.
 */
export class Relay {
  readonly #options: RelayOptions;
  #wake: (() => void) | undefined;
  #caughtUpMs = Date.now();
  #isLeading = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    options.boards.onAppended(() => this.#wake?.());
    options.metrics.relayQueue(
      () => this.backlog,
      () => this.lagMs / 1_000,
    );
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  /** Events that the mirror has not acknowledged, as far as this process knows. */
  get backlog(): number {
    return this.#options.boards.all().reduce((sum, { head, relayed }) => sum + Math.max(0, head - relayed), 0);
  }

  get lagMs(): number {
    if (this.backlog === 0) this.#caughtUpMs = Date.now();
    return Date.now() - this.#caughtUpMs;
  }

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    const lead = (signal: AbortSignal) => this.#lead(signal, loop);
    await AdvisoryLock.lead(this.#options.database, 'relay', loop.signal, lead, () => loop.beat());
  }

  async #lead(signal: AbortSignal, loop: Loop): Promise<void> {
    const { bus, logger, fresh } = this.#options;
    const publisher = bus.publisher({
      windowMax: bounds.relayWindowEvents * 2,
      ackTimeoutMs: bounds.relayAckTimeoutMs,
    });
    const wake = () => this.#wake?.();
    const term = new RelayTerm({ ...this.#options, publisher, signal, wake });
    logger.info({ event: 'relay.leading' });
    this.#isLeading = true;
    fresh.keep(true);
    try {
      while (!signal.aborted) {
        const woken = new Promise<void>((resolve) => (this.#wake = resolve));
        // oxlint-disable-next-line no-await-in-loop -- a step at a time
        await term.step();
        void this.lagMs;
        // oxlint-disable-next-line no-await-in-loop
        await loop.idle(bounds.watchEveryMs, woken);
      }
    } finally {
      this.#isLeading = false;
      fresh.keep(false);
      await term.end();
      publisher.close();
      logger.info({ event: 'relay.stopped_leading' });
    }
  }
}

interface RelayTermOptions extends RelayOptions {
  publisher: AckedPublisher;
  signal: AbortSignal;
  /** There may be more to do. */
  wake: () => void;
}

/** From becoming the leader to losing it. */
class RelayTerm {
  readonly #options: RelayTermOptions;
  readonly #window = new RelayWindow({ eventsMax: bounds.relayWindowEvents, bytesMax: bounds.relayWindowBytesMax });
  readonly #relays = new Map<number, BoardRelay>();
  readonly #pumping = new Map<number, Promise<void>>();
  readonly #resting = new Map<number, number>();
  /** When each board last had its turn: the one that waits longest is next. */
  readonly #turns = new Map<number, number>();
  readonly #rebuild: MirrorRebuild;
  #rebuilding: Promise<void> | undefined;
  #isPostgresChecked = false;
  #rebuildAgainMs = Number.NEGATIVE_INFINITY;
  #isWaiting = false;
  #isMirrorChecked = false;
  #streamCheckedMs = Number.NEGATIVE_INFINITY;

  constructor(options: RelayTermOptions) {
    this.#options = options;
    this.#rebuild = new MirrorRebuild(options);
  }

  /** Starts what there is to do; never waits for it. */
  async step(): Promise<void> {
    const { bus, boards } = this.#options;
    try {
      if (!this.#isPostgresChecked) await this.#options.epochs.checkPostgres();
      this.#isPostgresChecked = true;
      if (!bus.connected) return;
      await this.#keepStream();
    } catch (error) {
      if (!this.#isWaiting) this.#options.logger.warn({ event: 'relay.waiting', reason: String(error) });
      this.#isWaiting = true;
      return;
    }
    this.#isWaiting = false;
    this.#rebuildAsked();
    const behind = boards.all().filter(({ head, relayed }) => head > relayed);
    for (const board of behind.toSorted((a, b) => this.#turnOf(a) - this.#turnOf(b))) this.#pump(board);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#pumping.values(), this.#rebuilding]);
    await Promise.all([...this.#relays.values()].map((relay) => relay.end()));
  }

  /** A deleted or wiped stream is made again; before its first use in a term it is compared with the log. */
  async #keepStream(): Promise<void> {
    const { bus, epochs, signal } = this.#options;
    if (performance.now() - this.#streamCheckedMs < bounds.streamCheckEveryMs) return;
    if (!this.#isMirrorChecked || (await bus.streams.info(boardsStream.name)) === undefined) {
      await bus.streams.ensure(boardsStream);
    }
    if (!this.#isMirrorChecked) await epochs.checkMirror(signal);
    this.#isMirrorChecked = true;
    this.#streamCheckedMs = performance.now();
  }

  /** All that were asked for at once, when none of them is being published. */
  #rebuildAsked(): void {
    const { boards, signal, logger, wake } = this.#options;
    const asked = boards.all().filter(({ rebuilds, rebuildsAsked }) => rebuildsAsked > rebuilds);
    const isBusy = this.#rebuilding !== undefined || asked.some(({ id }) => this.#pumping.has(id));
    if (asked.length === 0 || isBusy || this.#rebuildAgainMs > performance.now()) return;
    this.#rebuilding = this.#rebuild
      .begin(asked, (id) => this.#letGo(id), signal)
      .catch((error: unknown) => {
        // Whatever it left half done is looked at again: the stream's definition, then the boards.
        this.#isMirrorChecked = false;
        this.#rebuildAgainMs = performance.now() + bounds.relayRetryMs;
        if (!isConnectionError(error)) logger.error({ event: 'relay.rebuild_failed', err: error });
      })
      .finally(() => {
        this.#rebuilding = undefined;
        wake();
      });
  }

  /** Ends the board's publication; the next one begins at the mark of then. */
  async #letGo(boardId: number): Promise<void> {
    const relay = this.#relays.get(boardId);
    this.#relays.delete(boardId);
    await relay?.settled();
    await relay?.end();
  }

  #turnOf({ id }: WatchedBoard): number {
    return this.#turns.get(id) ?? 0;
  }

  #pump(board: WatchedBoard): void {
    if (board.rebuildsAsked > board.rebuilds) return;
    const isResting = (this.#resting.get(board.id) ?? 0) > performance.now();
    if (isResting || this.#pumping.has(board.id) || this.#pumping.size >= bounds.relayBoardsAtOnce) return;
    if (this.#relays.get(board.id)?.hasWork() === false) return;
    const pumping = this.#pumpBoard(board)
      .catch((error: unknown) => {
        if (!isConnectionError(error))
          this.#options.logger.error({ event: 'relay.failed', board: board.slug, err: error });
        this.#rest(board);
      })
      .finally(() => {
        this.#pumping.delete(board.id);
        this.#turns.set(board.id, performance.now());
        this.#options.wake();
      });
    this.#pumping.set(board.id, pumping);
  }

  async #pumpBoard(board: WatchedBoard): Promise<void> {
    const relay = this.#relays.get(board.id) ?? (await this.#relayOf(board));
    if (!(await relay.pump(this.#options.signal))) this.#rest(board);
  }

  async #relayOf(board: WatchedBoard): Promise<BoardRelay> {
    const { store, fresh, publisher, metrics, boards, logger } = this.#options;
    const relay = new BoardRelay({
      board,
      mark: await store.mark(board.id),
      store,
      fresh,
      publisher,
      window: this.#window,
      onAcked: metrics.relayed,
      onWaited: metrics.relayWaited,
      onMarked: (seq) => boards.noteRelayed(board.id, seq),
      onFailed: (failure) => {
        metrics.relayFailed(failure.reason);
        logger.warn({ event: 'relay.publish_failed', board: board.slug, reason: failure.message });
      },
    });
    this.#relays.set(board.id, relay);
    return relay;
  }

  /** After a failure: a pause, and a look whether the stream is still there. */
  #rest(board: WatchedBoard): void {
    this.#resting.set(board.id, performance.now() + bounds.relayRetryMs);
    this.#streamCheckedMs = Number.NEGATIVE_INFINITY;
  }
}
