import {
  limits,
  type FollowerMarks,
  type RangeItem,
  type RangePage,
  type SyncBoard,
  type SyncResponse,
} from '@boardwire/contracts';
import type { ChatLog, RangeOptions } from '@boardwire/follower';

export interface LoggedBoard {
  slug: string;
  epoch: string;
  items: RangeItem[];
  relayed: number;
  /** What is before it has been pruned. */
  oldest: number;
}

/** A log in memory that answers as chat does: it is the follower's collaborator, not under test. */
export class TestLog implements ChatLog {
  readonly boards = new Map<string, LoggedBoard>();
  readonly #waiting = new Set<() => void>();
  #version = 1;
  #removed: string[] = [];
  /** Refuses every question while set. */
  isDown = false;
  /** Gives smaller pages than asked for. */
  pageMax = Number.POSITIVE_INFINITY;
  ranges = 0;
  /** Marks that followers have reported. */
  readonly marks: FollowerMarks['marks'] = [];
  syncs = 0;

  create(slug: string, epoch = 'aaaaaaaa'): LoggedBoard {
    const board = { slug, epoch, items: [], relayed: 0, oldest: 1 };
    this.boards.set(slug, board);
    this.#changed();
    return board;
  }

  remove(slug: string): void {
    this.boards.delete(slug);
    this.#removed.push(slug);
    this.#changed();
  }

  append(board: LoggedBoard, count = 1): RangeItem[] {
    const added = Array.from({ length: count }, (_, at) => itemOf(board, board.items.length + 1 + at));
    board.items.push(...added);
    this.#changed();
    return added;
  }

  /** The log is restored to an earlier state under a new epoch. */
  startEpoch(board: LoggedBoard, epoch: string, head: number): void {
    board.epoch = epoch;
    board.items = Array.from({ length: head }, (_, at) => itemOf(board, at + 1));
    board.relayed = 0;
    this.#changed();
  }

  relayedTo(board: LoggedBoard, seq: number): void {
    board.relayed = Math.max(board.relayed, seq);
    this.#changed();
  }

  async sync(since: string | undefined, signal: AbortSignal): Promise<SyncResponse> {
    this.syncs += 1;
    this.#refuseWhenDown();
    if (since === String(this.#version)) await this.#change(signal);
    this.#refuseWhenDown();
    const removedBoards = since === undefined ? [] : this.#removed;
    return {
      version: String(this.#version),
      full: since === undefined,
      boards: [...this.boards.values()].map(syncBoardOf),
      removedBoards: [...removedBoards],
      revocations: [],
    };
  }

  async range(slug: string, { from, to, limit }: RangeOptions): Promise<RangePage> {
    this.#refuseWhenDown();
    const board = this.boards.get(slug);
    if (board === undefined) throw new Error('board_unknown');
    this.ranges += 1;
    const end = Math.min(to, from - 1 + Math.min(limit, this.pageMax));
    const { epoch, items, oldest } = board;
    const first = Math.max(from, oldest);
    const page = { board: slug, epoch, head: items.length, oldest, items: items.slice(first - 1, end) };
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.#refuseWhenDown();
    return page;
  }

  async noteMarks({ marks }: FollowerMarks): Promise<void> {
    this.#refuseWhenDown();
    this.marks.push(...marks);
  }

  #refuseWhenDown(): void {
    if (this.isDown) throw new Error('chat is down');
  }

  #changed(): void {
    this.#version += 1;
    for (const wake of this.#waiting) wake();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#waiting.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, limits.syncWaitMs);
      this.#waiting.add(finish);
      signal.addEventListener('abort', finish, { once: true });
    });
  }
}

function itemOf(board: LoggedBoard, seq: number): RangeItem {
  return {
    seq,
    subject: `AxonChat.room${seq % 3}`,
    type: 'chat.message',
    class: 'log',
    committedMs: 1_700_000_000_000 + seq,
    datahash: `hash-${seq}`,
    body: JSON.stringify({ board: board.slug, epoch: board.epoch, seq }),
  };
}

function syncBoardOf({ slug, epoch, items, relayed }: LoggedBoard): SyncBoard {
  return { slug, id: 1, epoch, epochOrdinal: 0, head: items.length, relayed, timeZone: 'UTC', rules: [] };
}
