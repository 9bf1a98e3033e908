import type { SyncBoard, SyncResponse } from '@boardwire/contracts';
import type { ServiceContext } from '@boardwire/service-kit';
import type { BoardFollowerOptions } from './board-follower-options.ts';
import { BoardTrack, type Held } from './board-track.ts';
import type { Handover } from './handover.ts';

export interface BoardRosterOptions extends Pick<BoardFollowerOptions, 'marks' | 'onEpoch' | 'onRemoved'> {
  held: Held;
  handover: Handover;
  logger: ServiceContext['logger'];
  /** A board has found its position, in its first epoch or in a new one. */
  onPositioned: (track: BoardTrack) => void;
  /** A board's head is said to be before what was handed over already: the log may have been put back. */
  onHeadBehind: (track: BoardTrack) => void;
}

const retryMs = 500;

/** The boards there are, as chat says, each brought to where its epoch starts for us. */
export class BoardRoster {
  readonly #options: BoardRosterOptions;
  readonly #tracks = new Map<string, BoardTrack>();
  #isStopped = false;

  constructor(options: BoardRosterOptions) {
    this.#options = options;
  }

  get(board: string): BoardTrack | undefined {
    return this.#tracks.get(board);
  }

  all(): Iterable<BoardTrack> {
    return this.#tracks.values();
  }

  apply(changes: SyncResponse): void {
    for (const announced of changes.boards) this.#applyBoard(announced);
    const gone = changes.full ? this.#missingIn(changes.boards) : changes.removedBoards;
    for (const board of gone) this.#remove(board);
  }

  /** Tries again what could not find its position before. */
  positionTheRest(): void {
    for (const track of this.#tracks.values()) if (needsPosition(track)) void this.#position(track);
  }

  /** Every board begins again behind its mark, without what waits: the marks are not what they were. */
  reposition(): void {
    for (const track of this.#tracks.values()) {
      track.isGone = true;
      track.forget();
      void this.#position(this.#add(track.announced));
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  #applyBoard(announced: SyncBoard): void {
    const track = this.#tracks.get(announced.slug) ?? this.#add(announced);
    track.announced = announced;
    if (needsPosition(track)) void this.#position(track);
    else if (track.epoch === announced.epoch) {
      track.head = Math.max(track.head, announced.head);
      if (announced.head < track.handed) this.#options.onHeadBehind(track);
    }
  }

  #add(announced: SyncBoard): BoardTrack {
    const track = new BoardTrack(announced, this.#options.held);
    this.#tracks.set(announced.slug, track);
    return track;
  }

  /** What is left of the former epoch is handed over before the next one starts. */
  async #position(track: BoardTrack): Promise<void> {
    const previous = track.epochs.size > 0 ? track.epoch : undefined;
    track.isReady = false;
    track.isPreparing = true;
    try {
      await this.#options.handover.settle(track);
      if (track.isGone || this.#isStopped) return;
      const { epoch, epochOrdinal: ordinal, head } = track.announced;
      await this.#options.onEpoch?.(track.board, { epoch, ordinal, head, previous });
      const seq = await this.#startOf(track, { epoch, head });
      if (track.isGone) return;
      track.standAt({ epoch, seq, head: track.announced.epoch === epoch ? track.announced.head : head });
      this.#options.onPositioned(track);
    } catch (error) {
      track.retryAt = performance.now() + retryMs;
      this.#options.logger.error({ event: 'follower.position_failed', board: track.board, err: error });
    } finally {
      track.isPreparing = false;
    }
  }

  async #startOf(track: BoardTrack, { epoch, head }: { epoch: string; head: number }): Promise<number> {
    const { marks, logger } = this.#options;
    if (marks === 'head') return head;
    const mark = (await marks.load(track.board, epoch)) ?? 0;
    if (mark > track.announced.head && track.announced.epoch === epoch) {
      logger.error({ event: 'follower.mark_above_head', board: track.board, epoch, mark, head });
      this.#options.onHeadBehind(track);
    }
    return mark;
  }

  #missingIn(boards: SyncBoard[]): string[] {
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
}

function needsPosition(track: BoardTrack): boolean {
  if (track.isPreparing || track.isGone || performance.now() < track.retryAt) return false;
  return !track.isReady || track.epoch !== track.announced.epoch;
}
