import { limits, type Membership } from '@boardwire/contracts';
import type { Database, DecisionOutbox } from '@boardwire/database';
import { AppError } from '@boardwire/service-kit';
import type { BoardWatch, WatchedBoard } from '../boards/board-watch.ts';
import { available } from '../store/available.ts';
import type { MembershipStore } from './membership-store.ts';

export interface MembersOptions {
  database: Database;
  store: MembershipStore;
  boards: BoardWatch;
  decisions: DecisionOutbox;
  /** Memberships changed, and that is committed. */
  onChanged: (slug: string) => void;
}

/** Who reaches which `members` subjects of a board. Each change is a decision that audit hears of. */
export class Members {
  constructor(private readonly options: MembersOptions) {}

  async get(slug: string, userId: string): Promise<Membership> {
    const { database, store } = this.options;
    const { id: boardId } = await this.#board(slug);
    const [row] = await available(() => store.some(database, [{ boardId, userId }]));
    if (row === undefined) throw new AppError('not_found', { detail: 'no membership' });
    return { board: slug, userId, subjects: row.subjects };
  }

  /** In the order of user ids; `next` goes on behind the last one. */
  async list(slug: string, { after, limit }: { after: string; limit: number }) {
    const { database, store } = this.options;
    const { id } = await this.#board(slug);
    const rows = await available(() => store.page(database, id, { after, limit: limit + 1 }));
    const shown = rows.slice(0, limit);
    const members = shown.map(({ userId, subjects }) => ({ board: slug, userId, subjects }));
    return { members, next: rows.length > limit ? shown.at(-1)!.userId : null };
  }

  /** The whole set: subjects that are not named end. None ends the membership. */
  async set({ board: slug, userId, subjects }: Membership, actor: string): Promise<Membership> {
    const { database, store, decisions, onChanged } = this.options;
    const { id: boardId } = await this.#board(slug);
    const wanted = { boardId, userId, subjects: [...new Set(subjects)].toSorted() };
    const isChanged = await available(() =>
      database.transaction(async (transaction) => {
        if (!(await store.set(transaction, wanted))) return false;
        if (wanted.subjects.length > 0 && (await store.count(transaction, boardId)) > limits.membersPerBoardMax) {
          throw new AppError('conflict', { detail: `at most ${limits.membersPerBoardMax} members of a board` });
        }
        const action = wanted.subjects.length === 0 ? 'member.end' : 'member.set';
        const detail = { user: userId, subjects: wanted.subjects };
        await decisions.add(transaction, { action, outcome: 'done', actor, board: slug, detail });
        return true;
      }),
    );
    if (isChanged) onChanged(slug);
    return { board: slug, userId, subjects: wanted.subjects };
  }

  async #board(slug: string): Promise<WatchedBoard> {
    const board = await this.options.boards.find(slug);
    if (board === undefined) throw new AppError('board_unknown');
    return board;
  }
}
