import type { SyncBoard } from '@boardwire/contracts';
import type { FollowedEvent } from '@boardwire/follower';
import { AppError } from '@boardwire/service-kit';
import { BoardChannel } from './board-channel.ts';
import type { LogEvent, RingBounds } from './board-ring.ts';
import type { PassObserver } from './fan-out.ts';

export interface BoardsOptions {
  /** Asks chat. @throws AppError `board_unknown`. */
  assertExists: (board: string) => Promise<void>;
  ring: RingBounds;
  observer: PassObserver;
  /** A board is gone: whoever follows it ends. */
  onRemoved: (board: string) => void;
  /** What chat tells of a board, when something has changed. */
  onLearned: (board: SyncBoard) => void;
  /** What a board keeps has become less. */
  onPruned: (board: string) => void;
  /** What may be seen of a board has changed. */
  onRulesChanged: (board: string) => void;
}

/** A board that was just made, here or by another pod, is followed within chat's next answers. */
const followedWithinMs = 1_500;

/** The boards of the site as this pod knows them: what chat tells of each, and its channel. */
export class Boards {
  readonly #options: BoardsOptions;
  readonly #channels = new Map<string, BoardChannel>();
  readonly #known = new Map<string, SyncBoard>();
  readonly #awaited = new Map<string, Set<() => void>>();

  constructor(options: BoardsOptions) {
    this.#options = options;
  }

  channel(board: string): BoardChannel | undefined {
    return this.#channels.get(board);
  }

  /**
   * The board's channel; one that was made a moment ago is waited for. Without it nobody's rights on the board are known,
   * and a stream that is refused with 404 ends a browser's `EventSource` for good.
   * @throws AppError `board_unknown`, or one that a return later can mend
   */
  async find(board: string): Promise<BoardChannel> {
    const known = this.#channels.get(board);
    if (known !== undefined) return known;
    await this.#options.assertExists(board);
    await this.whenKnown(board, followedWithinMs);
    const channel = this.#channels.get(board);
    if (channel === undefined) throw new AppError('starting', { detail: 'the board is not followed here yet' });
    return channel;
  }

  info(board: string): SyncBoard | undefined {
    return this.#known.get(board);
  }

  /** Resolves when this pod follows the board, and after `waitMs` all the same. */
  async whenKnown(board: string, waitMs: number): Promise<void> {
    if (this.#channels.has(board)) return;
    const waiters = this.#awaited.get(board) ?? new Set();
    this.#awaited.set(board, waiters);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      waiters.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    if (this.#awaited.get(board) === waiters) this.#awaited.delete(board);
  }

  channels(): Iterable<BoardChannel> {
    return this.#channels.values();
  }

  /** An epoch starts, also when the board is first seen: this pod knows what comes after `head`. */
  startEpoch(board: string, epoch: string, head: number): void {
    const channel = this.#channels.get(board);
    const known = this.#known.get(board);
    const oldest = known?.epoch === epoch ? (known.oldest ?? 1) : 1;
    if (channel !== undefined) {
      channel.restart(epoch, head);
      channel.noteOldest(oldest);
      return;
    }
    const { ring, observer } = this.#options;
    const created = new BoardChannel({ board, epoch, head, ring, observer });
    created.setRules(known?.rules ?? []);
    created.noteOldest(oldest);
    this.#channels.set(board, created);
    for (const resolve of this.#awaited.get(board) ?? []) resolve();
  }

  append(board: string, events: readonly FollowedEvent[]): void {
    const channel = this.#channels.get(board);
    if (channel === undefined) throw new Error(`events of ${board} before its epoch`);
    channel.append(events.map(toLogEvent));
  }

  learn(boards: readonly SyncBoard[]): void {
    for (const board of boards) {
      const before = this.#known.get(board.slug);
      this.#known.set(board.slug, board);
      this.noteHead(board.slug, board.epoch, board.head);
      this.#options.onLearned(board);
      const channel = this.#channels.get(board.slug);
      const isNews = channel?.epoch === board.epoch && channel.noteOldest(board.oldest ?? 1);
      if (isNews) this.#options.onPruned(board.slug);
      if (JSON.stringify(before?.rules ?? []) === JSON.stringify(board.rules)) continue;
      this.#channels.get(board.slug)?.setRules(board.rules);
      this.#options.onRulesChanged(board.slug);
    }
  }

  /** An administrator has just changed them through this gateway: what comes next need not wait for chat's news. */
  setRules(board: string, rules: SyncBoard['rules']): void {
    const known = this.#known.get(board);
    if (known !== undefined) this.learn([{ ...known, rules }]);
  }

  noteHead(board: string, epoch: string, seq: number): void {
    this.#channels.get(board)?.noteHead(epoch, seq);
  }

  remove(board: string): void {
    this.#channels.get(board)?.close();
    this.#channels.delete(board);
    this.#known.delete(board);
    this.#options.onRemoved(board);
  }
}

function toLogEvent(event: FollowedEvent): LogEvent {
  const { seq, subject, type, bytes, committedMs } = event;
  const isState = event.class === 'state';
  return { seq, subject, type, isState, bytes, committedMs, removed: event.removed !== undefined };
}
