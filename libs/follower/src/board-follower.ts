import type { BusMessage } from '@boardwire/messaging';
import type { Loop } from '@boardwire/service-kit';
import type { BoardFollowerOptions, BoardPosition } from './board-follower-options.ts';
import { BoardRoster } from './board-roster.ts';
import { Held, type BoardTrack } from './board-track.ts';
import { FollowerMetrics } from './follower-metrics.ts';
import { fromBusMessage } from './followed-event.ts';
import type { Handover } from './handover.ts';
import { HoleFiller } from './hole-filler.ts';
import { MarkedHandover } from './marked-handover.ts';
import { MarkReport } from './mark-report.ts';
import { StreamIntake } from './stream-intake.ts';
import { SyncLoop } from './sync-loop.ts';
import { TailWatch } from './tail-watch.ts';
import { TickHandover } from './tick-handover.ts';

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
  readonly #roster: BoardRoster;
  readonly #held: Held;
  readonly #metrics: FollowerMetrics;
  readonly #sync: SyncLoop;
  readonly #intake: StreamIntake;
  readonly #filler: HoleFiller;
  readonly #handover: Handover;
  readonly #tails: TailWatch;
  readonly #report: MarkReport | undefined;
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
      onWaited: (seconds) => this.#metrics.holeWaited(seconds),
      onOtherEpoch: () => this.#sync.refresh(),
      onPruned: (track, lost) => this.#onPruned(track, lost),
      onFailure: (track, error) => this.#onFillFailed(track, error),
    });
    this.#roster = new BoardRoster({
      ...options,
      held: this.#held,
      handover: this.#handover,
      logger: context.logger,
      onPositioned: (track) => this.#filler.want(track),
      onHeadBehind: () => this.#report?.again(),
    });
    this.#sync = new SyncLoop({
      chat,
      apply: (changes) => {
        this.#roster.apply(changes);
        options.onControl?.(changes);
      },
      onFailure: (error) => context.logger.warn({ event: 'follower.sync_failed', err: error }),
      intervalMs: () => (this.#intake.isAttached ? syncMs.streaming : syncMs.alone),
    });
    this.#tails = new TailWatch({ intake: this.#intake, filler: this.#filler, onLost: (track) => this.#onLost(track) });
    if (durable !== undefined) this.#report = new MarkReport(chat, () => this.boards());
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
    this.#roster.stop();
    await this.#intake.close();
    await this.#filler.stop();
    await this.#handover.stop();
    this.#intake.acknowledgeDone();
  }

  /** Begins again behind the marks on every board: what keeps them was put back to an earlier state. */
  reposition(): void {
    this.#roster.reposition();
  }

  boards(): BoardPosition[] {
    return [...this.#roster.all()].filter((track) => track.isReady).map(positionOf);
  }

  position(board: string): BoardPosition | undefined {
    const track = this.#roster.get(board);
    return track?.isReady === true ? positionOf(track) : undefined;
  }

  /** Whether the handler is done with all that is known to exist. */
  caughtUp(board: string): boolean {
    return this.position(board)?.caughtUp === true;
  }

  /** The highest seq known to exist. */
  head(board: string): number | undefined {
    return this.#roster.get(board)?.head;
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
      this.#tails.look(this.#roster.all());
      this.#roster.positionTheRest();
      this.#report?.look();
    }
    await this.#intake.close();
  }

  #receive(message: BusMessage): { track: BoardTrack; seq: number } | undefined {
    const event = fromBusMessage(message);
    if (event === undefined) {
      this.#metrics.foreignDropped();
      return undefined;
    }
    const track = this.#roster.get(event.board);
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

  #onLost(track: BoardTrack): void {
    this.#metrics.lostTail();
    this.#options.context.logger.info({
      event: 'follower.lost_tail',
      board: track.board,
      received: track.received,
      head: track.head,
    });
  }

  #onPruned({ board }: BoardTrack, lost: { from: number; to: number }): void {
    this.#metrics.pruned(lost.to - lost.from + 1);
    this.#options.context.logger.error({ event: 'follower.pruned_unread', board, ...lost });
  }

  #onFillFailed(track: BoardTrack, error: unknown): void {
    // The board may be gone, or chat restarted: its next full answer says.
    if (track.failures === 1) this.#sync.refresh();
    this.#options.context.logger.warn({ event: 'follower.fill_failed', board: track.board, err: error });
  }

  #createHandover(): Handover {
    const { onEvents, marks, concurrency = 4, paceMs = 0, context } = this.#options;
    const shared = {
      onEvents,
      onWaited: (seconds: number) => this.#metrics.intakeWaited(seconds),
      onHanded: (track: BoardTrack) => {
        this.#intake.acknowledgeDone();
        this.#filler.resume(track);
      },
      onFailure: (track: BoardTrack, error: unknown) => {
        this.#metrics.handlerFailed();
        context.logger.error({ event: 'follower.handler_failed', board: track.board, err: error });
      },
    };
    return marks === 'head'
      ? new TickHandover(shared)
      : new MarkedHandover({
          ...shared,
          batchMax,
          concurrency,
          paceOf: typeof paceMs === 'number' ? () => paceMs : paceMs,
        });
  }

  #tellDepths(): void {
    const { durable, name } = this.#options;
    this.#metrics.watch(durable ?? name, {
      queued: () => this.#held.queued,
      ahead: () => this.#held.ahead,
      isAttached: () => this.#intake.isAttached,
      pending: () => this.#intake.pending,
      lag: () => [...this.#roster.all()].reduce((sum, track) => sum + Math.max(0, track.head - track.handed), 0),
    });
  }
}

function positionOf({ board, epoch, handed, head }: BoardTrack): BoardPosition {
  return { board, epoch, last: handed, head, caughtUp: handed >= head };
}
