import { createBoardSchema, type CreateBoard, type SubjectRule } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { BoardStore } from '../boards/board-store.ts';

/** What two people say to each other is never covered by a wildcard such as `room.>`. */
const privateSubjects: readonly SubjectRule[] = ['dm.>', 'room.*.chat.private.>'].map((pattern) => ({
  pattern,
  class: 'log',
  access: 'members',
}));

/** `events` keeps the number by which clients of the older wires know it. */
const seeds: readonly {
  board: Pick<CreateBoard, 'slug' | 'title'> & Partial<Pick<CreateBoard, 'rules'>>;
  id: number;
}[] = [
  { board: { slug: 'events', title: 'Realtime Event Board', rules: [...privateSubjects] }, id: 8 },
  { board: { slug: 'forum', title: 'Forum' }, id: 9 },
  { board: { slug: 'site', title: 'Site operations' }, id: 10 },
];

/** Deleting one would bring it back at the next start. */
export const isSeeded = (slug: string): boolean => seeds.some(({ board }) => board.slug === slug);

/** Boards that exist from the start. Harmless to repeat, and for two replicas at once. */
export async function seedBoards(database: Database, boards: BoardStore, timeZone: string): Promise<void> {
  for (const { board, id } of seeds) {
    const wanted = createBoardSchema.parse({ ...board, time_zone: timeZone });
    // oxlint-disable-next-line no-await-in-loop -- a handful, once
    if (await boards.isThere(board.slug)) continue;
    // oxlint-disable-next-line no-await-in-loop
    await database.transaction((transaction) => boards.create(transaction, wanted, id));
  }
}
