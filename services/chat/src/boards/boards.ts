import type { Board, ChangeBoard, CreateBoard } from '@boardwire/contracts';
import { limits } from '@boardwire/contracts';
import type { Database, DecisionOutbox } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import { isSeeded } from '../site/seed-boards.ts';
import { available } from '../store/available.ts';
import { shownBoard, type BoardStore } from './board-store.ts';
import type { BoardWatch } from './board-watch.ts';

export interface BoardsOptions {
  database: Database;
  store: BoardStore;
  watch: BoardWatch;
  decisions: DecisionOutbox;
  /** A board was made or changed, and that is committed. */
  onChanged: (slug: string) => void;
}

/** What administrators do with boards. */
export class Boards {
  constructor(private readonly options: BoardsOptions) {}

  list(): Board[] {
    return this.options.watch.all().map(shownBoard);
  }

  async get(slug: string): Promise<Board> {
    const board = await this.options.watch.find(slug);
    if (board === undefined) throw new AppError('board_unknown');
    return shownBoard(board);
  }

  async create(wanted: CreateBoard, actor: string): Promise<Board> {
    const { database, store, decisions } = this.options;
    await available(() =>
      database.transaction(async (transaction) => {
        if ((await store.count()) >= limits.boardsMax) {
          throw new AppError('conflict', { detail: `no more than ${limits.boardsMax} boards` });
        }
        if (!(await store.create(transaction, wanted))) throw new AppError('board_exists');
        const { slug: board, title } = wanted;
        await decisions.add(transaction, { action: 'board.create', outcome: 'done', actor, board, detail: { title } });
      }),
    );
    return this.#changed(wanted.slug);
  }

  async change(slug: string, change: ChangeBoard, actor: string): Promise<Board> {
    const { database, store, decisions } = this.options;
    await available(() =>
      database.transaction(async (transaction) => {
        if (!(await store.change(transaction, slug, change))) throw new AppError('board_unknown');
        const detail = JSON.parse(JSON.stringify(change)) as Record<string, never>;
        await decisions.add(transaction, { action: 'board.change', outcome: 'done', actor, board: slug, detail });
      }),
    );
    return this.#changed(slug);
  }

  /** Its events are gone for readers at once, and from the disk soon after; what audit recorded of them stays. */
  async remove(slug: string, actor: string): Promise<void> {
    const { database, store, decisions, watch, onChanged } = this.options;
    if (isSeeded(slug)) throw new AppError('conflict', { detail: `every site has a board ${slug}` });
    await available(() =>
      database.transaction(async (transaction) => {
        if (!(await store.remove(transaction, slug))) throw new AppError('board_unknown');
        await decisions.add(transaction, { action: 'board.delete', outcome: 'done', actor, board: slug });
      }),
    );
    await available(() => watch.refresh());
    onChanged(slug);
  }

  async #changed(slug: string): Promise<Board> {
    await available(() => this.options.watch.refresh());
    this.options.onChanged(slug);
    return this.get(slug);
  }
}
