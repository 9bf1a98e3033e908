import type { Queryable } from '@boardwire/database';
import type { MarkStore } from '@boardwire/follower';

/** How far each board's log has been taken over, by epoch. */
export class FederationMarks implements MarkStore {
  readonly #database: Queryable;

  constructor(database: Queryable) {
    this.#database = database;
  }

  async load(board: string, epoch: string): Promise<number | undefined> {
    const rows = await this.#database.query<{ seq: number }>('SELECT seq FROM mark WHERE board = $1 AND epoch = $2', [
      board,
      epoch,
    ]);
    return rows[0]?.seq;
  }

  /** Never moves back: of two replicas the slower one must not undo the other's progress. */
  async advance(board: string, epoch: string, seq: number): Promise<void> {
    await this.#database.query(
      `INSERT INTO mark (board, epoch, seq) VALUES ($1, $2, $3)
       ON CONFLICT (board, epoch) DO UPDATE SET seq = EXCLUDED.seq WHERE mark.seq < EXCLUDED.seq`,
      [board, epoch, seq],
    );
  }
}
