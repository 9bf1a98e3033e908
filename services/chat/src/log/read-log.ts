import type { HistoryPage, HistoryQuery, RangePage, StoredClass } from '@boardwire/contracts';
import { isFilter, limits } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { BoardWatch, WatchedBoard } from '../boards/board-watch.ts';
import { available } from '../store/available.ts';
import type { ReadStore } from './read-store.ts';
import type { SubjectFilters } from './subject-filters.ts';

export interface StateQuery {
  subjects: readonly string[];
  memberSubjects?: readonly string[] | undefined;
}

export interface RangeQuery {
  from: number;
  to?: number | undefined;
  limit?: number | undefined;
  /** With the salts of the hashes, for who proves them to others. */
  salts?: boolean | undefined;
}

const seqMax = Number.MAX_SAFE_INTEGER;

/** Everything that reads a log: ranges for followers, history and state for readers. */
export class ReadLog {
  constructor(
    private readonly boards: BoardWatch,
    private readonly store: ReadStore,
    private readonly filters: SubjectFilters,
  ) {}

  async range(slug: string, { from, to = seqMax, limit = limits.rangePageMax, salts }: RangeQuery): Promise<RangePage> {
    const board = await this.#board(slug);
    const { epoch, pruned } = board;
    const first = Math.max(pruned + 1, from);
    const { items } = await available(() =>
      this.store.range(board.id, { from: first, to, limit, salts: salts === true }),
    );
    // Pruned while it was read: the next question is answered from the new start.
    const isPruned = board.pruned >= first;
    for (const [at, { seq }] of items.entries()) {
      if (seq !== first + at && !isPruned) throw new Error(`the log of ${slug} has a hole before ${seq}`);
    }
    // A row that is newer than what this process has heard of its head.
    const head = Math.max(board.head, items.at(-1)?.seq ?? 0);
    return { board: slug, epoch, head, oldest: board.pruned + 1, items: isPruned ? [] : items };
  }

  async history(slug: string, query: HistoryQuery): Promise<HistoryPage> {
    assertFilters([...query.subjects, ...(query.memberSubjects ?? [])]);
    const board = await this.#board(slug);
    const { epoch } = board;
    return available(async () => {
      const { subjects, memberSubjects, types } = query;
      const subjectIds = await this.filters.resolve(board, { subjects, memberSubjects, types });
      const isForward = query.after !== undefined;
      const window = {
        boardId: board.id,
        subjectIds,
        after: Math.max(query.after ?? 0, board.pruned),
        before: Math.min(query.before ?? seqMax, (query.upTo ?? seqMax - 1) + 1),
        bytesMax: query.bytesMax,
        newestFirst: !isForward,
      };
      // One more than asked for tells whether there is more.
      const { items, isCut } = await this.store.history({ ...window, limit: query.limit + 1 });
      const shown = isForward ? items.slice(0, query.limit) : items.slice(-query.limit);
      const head = Math.max(board.head, items.at(-1)?.seq ?? 0);
      const more = isCut || shown.length < items.length;
      const page = { board: slug, epoch, head, oldest: board.pruned + 1, items: shown, more };
      if (query.countMax === undefined) return page;
      const counted = { ...window, before: (query.upTo ?? seqMax - 1) + 1, limit: query.countMax };
      return { ...page, count: await this.store.count(counted) };
    });
  }

  /**
   * The newest event of every matching subject of class `state` as the board stood at `head`, in chronological order;
   * `more` when there are more subjects than fit, of which these have the newest events.
   */
  async state(slug: string, { subjects, memberSubjects }: StateQuery): Promise<HistoryPage> {
    assertFilters([...subjects, ...(memberSubjects ?? [])]);
    const board = await this.#board(slug);
    return available(async () => {
      // Read first: an event stored while subjects are looked up, perhaps of a new one, is not of this state.
      const { epoch, head } = await this.store.head(board.id);
      const wanted = { subjects, memberSubjects, classes: ['state'] satisfies StoredClass[] };
      const ids = await this.filters.resolve(board, wanted);
      const { items, isCut } = await this.store.newest(board.id, { subjectIds: ids ?? [], upTo: head });
      return { board: slug, epoch, head, oldest: board.pruned + 1, items, more: isCut };
    });
  }

  async #board(slug: string): Promise<WatchedBoard> {
    const board = await this.boards.find(slug);
    if (board === undefined) throw new AppError('board_unknown');
    return board;
  }
}

function assertFilters(filters: readonly string[]): void {
  const bad = filters.find((filter) => !isFilter(filter));
  if (bad !== undefined) throw new AppError('invalid_filter');
}
