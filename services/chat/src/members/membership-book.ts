import type { Membership } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { BoardWatch } from '../boards/board-watch.ts';
import type { ChangeClock } from '../boards/change-clock.ts';
import { bounds } from '../bounds.ts';
import type { ControlBook, ControlRow } from '../control/control-feed.ts';
import { ToldRows } from '../control/told-rows.ts';
import type { MembershipRow, MembershipStore } from './membership-store.ts';

/** All memberships, in memory for `/sync`. */
export class MembershipBook implements ControlBook {
  readonly kind = 'membership_changed';
  readonly told: ToldRows<MembershipRow, Membership>;

  constructor(
    private readonly database: Database,
    private readonly store: MembershipStore,
    clock: ChangeClock,
    boards: BoardWatch,
  ) {
    this.told = new ToldRows<MembershipRow, Membership>({
      clock,
      pageMax: bounds.membershipPageSubjects,
      keyOf,
      tell: ({ boardId, userId, subjects }) => {
        // The board may have gone.
        const board = boards.get(boardId)?.slug;
        return board === undefined ? undefined : { board, userId, subjects };
      },
      weigh: ({ subjects }) => subjects.length,
    });
  }

  /** Before the first answer. */
  async load(): Promise<void> {
    for (const row of await this.store.all(this.database)) this.told.put(row);
  }

  async take(rows: readonly ControlRow[]): Promise<void> {
    const pairs = rows.flatMap(({ boardId, userId }) =>
      boardId === null || userId === null ? [] : [{ boardId, userId }],
    );
    const found = new Map((await this.store.some(this.database, pairs)).map((row) => [keyOf(row), row]));
    for (const pair of new Map(pairs.map((one) => [keyOf(one), one])).values()) {
      this.told.change(found.get(keyOf(pair)) ?? { ...pair, subjects: [] });
    }
  }

  async reload(): Promise<void> {
    this.told.replace(await this.store.all(this.database), (row) => ({ ...row, subjects: [] }));
  }
}

const keyOf = ({ boardId, userId }: { boardId: number; userId: string }) => `${boardId} ${userId}`;
