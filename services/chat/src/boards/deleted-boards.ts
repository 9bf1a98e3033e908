import { boardsStream, boardSubjects } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { Bus } from '@boardwire/messaging';
import { bounds } from '../bounds.ts';

const deletedBoards = `
  SELECT id, left(slug, -length('~' || id)) AS slug, NOT EXISTS (
    SELECT FROM board same WHERE same.slug = left(board.slug, -length('~' || board.id))
  ) AS "isFree"
  FROM board WHERE deleted_at IS NOT NULL ORDER BY id LIMIT 1`;

const removeEvents = `
  WITH removed AS (
    DELETE FROM event WHERE board_id = $1 AND seq IN (SELECT seq FROM event WHERE board_id = $1 ORDER BY seq LIMIT $2)
    RETURNING 1
  )
  SELECT count(*) AS removed FROM removed`;

/** Clears away what is left of boards that were deleted: what the mirror holds, then their rows, in portions. */
export class DeletedBoards {
  constructor(private readonly options: { database: Database; bus: Bus }) {}

  /** One portion. False when nothing is left. */
  async clear(): Promise<boolean> {
    const { database, bus } = this.options;
    const [board] = await database.query<{ id: number; slug: string; isFree: boolean }>(deletedBoards);
    if (board === undefined) return false;
    const [row] = await database.query<{ removed: number }>(removeEvents, [board.id, bounds.pruneRowsMax]);
    if (row!.removed === bounds.pruneRowsMax) return true;
    if (!bus.connected) return false;
    // A board that took over the slug mirrors its own events there; those of this one run out with the stream's age.
    if (board.isFree) await bus.streams.purge(boardsStream.name, boardSubjects(board.slug));
    await database.transaction(async (transaction) => {
      await transaction.query('DELETE FROM board_subject WHERE board_id = $1', [board.id]);
      await transaction.query('DELETE FROM board_epoch WHERE board_id = $1', [board.id]);
      await transaction.query('DELETE FROM board WHERE id = $1', [board.id]);
    });
    return true;
  }
}
