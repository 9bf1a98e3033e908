import { limits, type RangePage } from '@boardwire/contracts';
import type { BoardTrack } from './board-track.ts';
import type { ChatLog } from './chat-log.ts';
import { fromRangeItem } from './followed-event.ts';

export interface HoleFillerOptions {
  chat: ChatLog;
  /** Boards that are read at once. */
  concurrency: number;
  onStarted: (track: BoardTrack) => void;
  /** A page was taken over. */
  onFilled: (track: BoardTrack, count: number) => void;
  /** How long a hole stood open, from its sight to the first page; told once for each fill. */
  onWaited: (seconds: number) => void;
  /** The log is of another epoch than the board's. */
  onOtherEpoch: (track: BoardTrack) => void;
  /** The log has let go of events that this follower never got. */
  onPruned: (track: BoardTrack, lost: { from: number; to: number }) => void;
  onFailure: (track: BoardTrack, error: unknown) => void;
}

const retryMsMin = 100;
const retryMsMax = 1_000;
const roomEvents = limits.rangePageMax / 2;

/** Reads from the log what JetStream did not deliver, page by page, until the board has caught up with its head. */
export class HoleFiller {
  readonly #wanted = new Set<BoardTrack>();
  readonly #running = new Map<BoardTrack, Promise<void>>();
  /** Stopped short because too much waits for the handler. */
  readonly #paused = new WeakSet<BoardTrack>();
  readonly #stopping = new AbortController();

  constructor(private readonly options: HoleFillerOptions) {}

  /** Boards that wait for a fill or are being filled. */
  get depth(): number {
    return this.#wanted.size + this.#running.size;
  }

  isFilling(track: BoardTrack): boolean {
    return this.#running.has(track) || this.#wanted.has(track);
  }

  /** Fills a board as soon as a slot is free. Nothing happens while too many of its events wait for the handler. */
  want(track: BoardTrack): void {
    if (this.isFilling(track) || !this.#canFill(track)) return;
    const nowMs = performance.now();
    if (track.holeSince === 0) track.holeSince = nowMs;
    if (nowMs < track.retryAt) return;
    this.#paused.delete(track);
    this.#wanted.add(track);
    this.#startNext();
  }

  /** Goes on with a fill that had to wait for the handler. */
  resume(track: BoardTrack): void {
    if (this.#paused.has(track)) this.want(track);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wanted.clear();
    await Promise.all(this.#running.values());
  }

  /** A board may always hold a page, whatever the others hold. */
  hasRoom(track: BoardTrack): boolean {
    return track.queue.length < roomEvents;
  }

  #canFill(track: BoardTrack): boolean {
    return track.isBehind && track.isReady && !track.isGone && this.hasRoom(track) && !this.#stopping.signal.aborted;
  }

  #startNext(): void {
    for (const track of this.#wanted) {
      if (this.#running.size >= this.options.concurrency) return;
      this.#wanted.delete(track);
      const run = this.#fill(track).finally(() => {
        this.#running.delete(track);
        this.#startNext();
      });
      this.#running.set(track, run);
    }
  }

  async #fill(track: BoardTrack): Promise<void> {
    this.options.onStarted(track);
    try {
      while (this.#canFill(track)) if (!(await this.#fillPage(track))) return;
      track.failures = 0;
      track.holeSince = 0;
      if (!this.hasRoom(track)) this.#paused.add(track);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      track.failures += 1;
      const waitMs = Math.min(retryMsMax, retryMsMin * 2 ** (track.failures - 1));
      track.retryAt = performance.now() + waitMs * (0.5 + Math.random() / 2);
      this.options.onFailure(track, error);
    }
  }

  /** False when the board is no longer the one that was asked for. */
  async #fillPage(track: BoardTrack): Promise<boolean> {
    const { epoch } = track;
    const page = await this.options.chat.range(track.board, {
      from: track.received + 1,
      to: track.holeEnd(),
      limit: limits.rangePageMax,
      signal: this.#stopping.signal,
    });
    if (track.isGone || !track.isReady || track.epoch !== epoch) return false;
    if (page.epoch !== epoch) {
      this.options.onOtherEpoch(track);
      return false;
    }
    const { oldest = 1 } = page;
    if (oldest > track.received + 1) {
      this.options.onPruned(track, { from: track.received + 1, to: oldest - 1 });
      track.skipTo(oldest);
      return true;
    }
    takeOver(track, page);
    this.options.onFilled(track, page.items.length);
    if (track.holeSince > 0) this.options.onWaited((performance.now() - track.holeSince) / 1_000);
    track.holeSince = 0;
    return true;
  }
}

/** A page that leaves a seq out would make us skip an event for ever, so it is refused. */
function takeOver(track: BoardTrack, page: RangePage): void {
  const wanted = track.received + 1;
  let expected = page.items[0]?.seq ?? wanted;
  if (page.items.length === 0 || expected > wanted) throw new Error(`the log did not answer seq ${wanted}`);
  for (const item of page.items) {
    if (item.seq !== expected) throw new Error(`the log left out seq ${expected}`);
    track.offer(fromRangeItem(track.board, page.epoch, item));
    expected += 1;
  }
}
