import type { SyncBoard, SyncResponse } from '@boardwire/contracts';
import type { Bus, BusMessage } from '@boardwire/messaging';
import type { Loop, ServiceContext } from '@boardwire/service-kit';
import { BoardTrack, Held } from './board-track.ts';
import type { ChatLog } from './chat-log.ts';
import { FollowerMetrics } from './follower-metrics.ts';
import { fromBusMessage } from './followed-event.ts';
import type { EventsHandler, Handover } from './handover.ts';
import { HoleFiller } from './hole-filler.ts';
import { MarkedHandover } from './marked-handover.ts';
import { StreamIntake } from './stream-intake.ts';
import { SyncLoop } from './sync-loop.ts';
import { TailWatch } from './tail-watch.ts';
import { TickHandover } from './tick-handover.ts';

/** Where a follower that must see every event has got to, in its own storage. */
export interface MarkStore {
  /** The last seq stored of this epoch, or undefined when there is none: then it starts with seq 1. */
  load(board: string, epoch: string): Promise<number | undefined>;
}

export interface EpochStart {
  epoch: string;
  /** Counts the board's epochs: 0, 1, 2 … */
  ordinal: number;
  head: number;
  /** The epoch before; undefined when the board is seen for the first time. */
  previous: string | undefined;
}

export interface BoardPosition {
  board: string;
  epoch: string;
  /** Last seq that the handler is done with. */
  last: number;
  head: number;
  caughtUp: boolean;
}

export interface BoardFollowerOptions {
  /** Names its loops and its consumer. */
  name: string;
  bus: Bus;
  chat: ChatLog;
  context: Pick<ServiceContext, 'logger' | 'metrics' | 'supervisor'>;
  /**
   * `head`: starts at chat's head, the handler is synchronous, and its exceptions are counted.
   * A mark store: starts behind the marks; a batch whose handler rejects comes again until it resolves. The handler
   * stores its mark together with the events.
   */
  marks: 'head' | MarkStore;
  /** Name of a durable consumer on the mirror. */
  durable?: string;
  /** Each event of each board once, in seq order, without a hole. Calls for one board never overlap. */
  onEvents: EventsHandler;
  /** Before the first event of an epoch, also when a board is first seen. A rejection is retried. */
  onEpoch?: (board: string, start: EpochStart) => void | Promise<void>;
  onRemoved?: (board: string) => void;
  /** Every answer of `/sync`, after its boards were applied. */
  onControl?: (changes: SyncResponse) => void;
  /** Events held for the handler, and as many behind holes. */
  queueMax?: number;
  /** Handler calls at once, for different boards; only with marks. */
  concurrency?: number;
}

const queueMaxDefault = 16_384;
const batchMax = 512;
const fillsMax = 8;
/** How often chat is asked: rarely while JetStream delivers, often while it is all we have. */
const syncMs = { streaming: 250, alone: 50 };

/**
 * Follows every board of the site. JetStream is the fast path; chat's `/sync` says what there is, and its log fills
 * every hole:
 *
 * - a seq at or below the last one is dropped, the next one is taken over, a later one waits until the hole before it
 *   has been read from the log;
 * - a head that JetStream doesn't reach within half a second is a lost tail: the log is read and the consumer replaced;
 * - without JetStream the log is read whenever `/sync` tells of a new head;
 * - an event of another epoch makes it ask chat: a new epoch starts over behind its mark, or at its head.
 *
 * It runs two supervised loops, `<name>-sync` and `<name>-intake`, and holds a bounded number of events: what does not
 * fit is dropped and read from the log later.
 */
export class BoardFollower {
  readonly #options: BoardFollowerOptions;
  readonly #tracks = new Map<string, BoardTrack>();
  readonly #held: Held;
  readonly #metrics: FollowerMetrics;
  readonly #sync: SyncLoop;
  readonly #intake: StreamIntake;
  readonly #filler: HoleFiller;
  readonly #handover: Handover;
  readonly #tails: TailWatch;
  readonly #stopping = new AbortController();

  constructor(options: BoardFollowerOptions) {
    const { bus, chat, context, durable, queueMax = queueMaxDefault } = options;
    this.#options = options;
    this.#held = new Held(queueMax);
    this.#metrics = new FollowerMetrics(context.metrics);
    this.#handover = this.#createHandover();
    this.#intake = new StreamIntake({
      bus,
      durable,
      maxAckPending: Math.max(1, Math.floor(queueMax / 2)),
      onMessage: (message) => this.#receive(message),
    });
    this.#filler = new HoleFiller({
      chat,
      concurrency: fillsMax,
      onStarted: () => this.#metrics.gapFillStarted(),
      onFilled: (track, count) => {
        this.#metrics.gapFillEvents(count);
        this.#handover.poke(track);
      },
      onOtherEpoch: () => this.#sync.refresh(),
      onFailure: (track, error) => this.#onFillFailed(track, error),
    });
    this.#sync = new SyncLoop({
      chat,
      apply: (changes) => this.#apply(changes),
      onFailure: (error) => context.logger.warn({ event: 'follower.sync_failed', err: error }),
      intervalMs: () => (this.#intake.isAttached ? syncMs.streaming : syncMs.alone),
    });
    this.#tails = new TailWatch({ intake: this.#intake, filler: this.#filler, onLost: (track) => this.#onLost(track) });
    this.#tellDepths();
  }

  start(): void {
    const { context, name } = this.#options;
    context.supervisor.run(`${name}-sync`, { beatEveryMs: 1_000 }, (loop) => this.#sync.run(loop));
    context.supervisor.run(`${name}-intake`, { beatEveryMs: 500 }, (loop) => this.#runIntake(loop));
  }

  /** Ends the intake and waits, at most 5 s, for handlers that are running. Stop the supervisor as well. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#intake.close();
    await this.#filler.stop();
    await this.#handover.stop();
    this.#intake.acknowledgeDone();
  }

  boards(): BoardPosition[] {
    return [...this.#tracks.values()].filter((track) => track.isReady).map(positionOf);
  }

  position(board: string): BoardPosition | undefined {
    const track = this.#tracks.get(board);
    return track?.isReady === true ? positionOf(track) : undefined;
  }

  /** Whether the handler is done with all that is known to exist. */
  caughtUp(board: string): boolean {
    return this.position(board)?.caughtUp === true;
  }

  /** The highest seq known to exist. */
  head(board: string): number | undefined {
    return this.#tracks.get(board)?.head;
  }

  /** When chat last answered `/sync`, milliseconds since the Unix epoch; 0 before the first answer. */
  get syncedAt(): number {
    return this.#sync.answeredAt;
  }

  /** Whether JetStream delivers now. */
  get isStreaming(): boolean {
    return this.#intake.isAttached;
  }

  async #runIntake(loop: Loop): Promise<void> {
    if (!this.#stopping.signal.aborted) this.#intake.open();
    while (!loop.signal.aborted) {
      await loop.idle(TailWatch.everyMs);
      if (this.#stopping.signal.aborted) continue;
      this.#tails.look(this.#tracks.values());
      for (const track of this.#tracks.values()) if (needsPreparing(track)) void this.#prepare(track);
    }
    await this.#intake.close();
  }

  // ---- what JetStream says ----

  #receive(message: BusMessage): { track: BoardTrack; seq: number } | undefined {
    const event = fromBusMessage(message);
    if (event === undefined) {
      this.#metrics.foreignDropped();
      return undefined;
    }
    const track = this.#tracks.get(event.board);
    if (track === undefined) return undefined;
    switch (track.offer(event)) {
      case 'next':
        this.#handover.poke(track);
        break;
      case 'duplicate':
        this.#metrics.duplicateDropped();
        break;
      case 'ahead':
        this.#filler.want(track);
        break;
      case 'left':
        this.#metrics.leftForLater();
        break;
      case 'other_epoch':
        // One we have left is no news; which of the others is newer, chat knows.
        if (event.epoch !== track.announced.epoch && !track.epochs.has(event.epoch)) this.#sync.refresh();
        return undefined;
      case 'not_ready':
        break;
    }
    return { track, seq: event.seq };
  }

  // ---- what chat says ----

  #apply(changes: SyncResponse): void {
    for (const announced of changes.boards) this.#applyBoard(announced);
    const gone = changes.full ? this.#boardsMissingIn(changes.boards) : changes.removedBoards;
    for (const board of gone) this.#remove(board);
    this.#options.onControl?.(changes);
  }

  #applyBoard(announced: SyncBoard): void {
    const track = this.#tracks.get(announced.slug) ?? this.#addTrack(announced);
    track.announced = announced;
    if (needsPreparing(track)) void this.#prepare(track);
    else if (track.epoch === announced.epoch) track.head = Math.max(track.head, announced.head);
  }

  #addTrack(announced: SyncBoard): BoardTrack {
    const track = new BoardTrack(announced, this.#held);
    this.#tracks.set(announced.slug, track);
    return track;
  }

  /** Brings a board to where its epoch starts for us: what is left of the former epoch is handed over first. */
  async #prepare(track: BoardTrack): Promise<void> {
    const previous = track.epochs.size > 0 ? track.epoch : undefined;
    track.isReady = false;
    track.isPreparing = true;
    try {
      await this.#handover.settle(track);
      if (track.isGone || this.#stopping.signal.aborted) return;
      const { epoch, epochOrdinal: ordinal, head } = track.announced;
      await this.#options.onEpoch?.(track.board, { epoch, ordinal, head, previous });
      const seq = await this.#startOf(track, epoch, head);
      if (track.isGone) return;
      track.standAt({ epoch, seq, head: track.announced.epoch === epoch ? track.announced.head : head });
      this.#filler.want(track);
    } catch (error) {
      track.retryAt = performance.now() + 500;
      this.#options.context.logger.error({ event: 'follower.epoch_failed', board: track.board, err: error });
    } finally {
      track.isPreparing = false;
    }
  }

  async #startOf(track: BoardTrack, epoch: string, head: number): Promise<number> {
    const { marks, context } = this.#options;
    if (marks === 'head') return head;
    const mark = (await marks.load(track.board, epoch)) ?? 0;
    if (mark > track.announced.head && track.announced.epoch === epoch) {
      context.logger.error({ event: 'follower.mark_above_head', board: track.board, epoch, mark, head });
    }
    return mark;
  }

  #boardsMissingIn(boards: SyncBoard[]): string[] {
    const present = new Set(boards.map(({ slug }) => slug));
    return [...this.#tracks.keys()].filter((board) => !present.has(board));
  }

  #remove(board: string): void {
    const track = this.#tracks.get(board);
    if (track === undefined) return;
    track.isGone = true;
    track.forget();
    this.#tracks.delete(board);
    this.#options.onRemoved?.(board);
  }

  // ---- what went wrong ----

  #onLost(track: BoardTrack): void {
    this.#metrics.lostTail();
    this.#options.context.logger.info({
      event: 'follower.lost_tail',
      board: track.board,
      received: track.received,
      head: track.head,
    });
  }

  #onFillFailed(track: BoardTrack, error: unknown): void {
    // The board may be gone, or chat restarted: its next full answer says.
    if (track.failures === 1) this.#sync.refresh();
    this.#options.context.logger.warn({ event: 'follower.fill_failed', board: track.board, err: error });
  }

  #createHandover(): Handover {
    const { onEvents, marks, concurrency = 4, context } = this.#options;
    const shared = {
      onEvents,
      onHanded: (track: BoardTrack) => {
        this.#intake.acknowledgeDone();
        this.#filler.resume(track);
      },
      onFailure: (track: BoardTrack, error: unknown) => {
        this.#metrics.handlerFailed();
        context.logger.error({ event: 'follower.handler_failed', board: track.board, err: error });
      },
    };
    return marks === 'head' ? new TickHandover(shared) : new MarkedHandover({ ...shared, batchMax, concurrency });
  }

  #tellDepths(): void {
    const { metrics } = this.#options.context;
    metrics.queueDepth('intake', () => this.#held.queued);
    metrics.queueDepth('hole_fill', () => this.#held.ahead);
    metrics.gauge('consumer_pending', 'Messages of the mirror that wait for this consumer.', [], (gauge) =>
      gauge.set(this.#intake.pending),
    );
    metrics.gauge('follower_lag_events', 'Events in the log that the handler is not done with.', [], (gauge) =>
      gauge.set([...this.#tracks.values()].reduce((sum, track) => sum + Math.max(0, track.head - track.handed), 0)),
    );
  }
}

function needsPreparing(track: BoardTrack): boolean {
  if (track.isPreparing || track.isGone || performance.now() < track.retryAt) return false;
  return !track.isReady || track.epoch !== track.announced.epoch;
}

function positionOf({ board, epoch, handed, head }: BoardTrack): BoardPosition {
  return { board, epoch, last: handed, head, caughtUp: handed >= head };
}
