import type { AuditGap, AuditHealth } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { BoardPosition } from '@boardwire/follower';

export interface StoredCheckpoint {
  size: number;
  root: Buffer;
  note: string;
  atMs: number;
}

const gapsListed = 100;

/** How far the log has come, and what is missing from it. */
export class LogStatus {
  constructor(
    private readonly database: Database,
    private readonly boards: () => BoardPosition[],
  ) {}

  /** The newest signed checkpoint; undefined while the log is empty. */
  async checkpoint(): Promise<StoredCheckpoint | undefined> {
    const [row] = await this.database.query<StoredCheckpoint>(
      `SELECT size, root, note, (extract(epoch FROM at) * 1000)::float8 AS "atMs"
       FROM checkpoint ORDER BY size DESC LIMIT 1`,
    );
    return row;
  }

  async health(): Promise<AuditHealth> {
    const [[tree], checkpoint, marks, gaps, gapList] = await Promise.all([
      this.database.query<{ epoch: string; size: number }>('SELECT epoch, size FROM tree'),
      this.checkpoint(),
      this.database.query<{ board: string; epoch: string; seq: number }>('SELECT board, epoch, seq FROM mark'),
      this.database.query<{ kind: string; name: string; epoch: string; gaps: number }>(
        'SELECT kind, name, epoch, count(*) AS gaps FROM gap GROUP BY kind, name, epoch',
      ),
      this.#gapList(),
    ]);
    const gapsOf = (board: string, epoch: string) =>
      gaps.find((row) => row.kind === 'board' && row.name === board && row.epoch === epoch)?.gaps ?? 0;
    return {
      size: tree?.size ?? 0,
      checkpoint: checkpoint === undefined ? null : summaryOf(checkpoint),
      boards: this.#positions(marks).map((position) => ({ ...position, gaps: gapsOf(position.board, position.epoch) })),
      gaps: gaps.reduce((sum, row) => sum + row.gaps, 0),
      epoch: tree?.epoch ?? '',
      former: [],
      gap_list: gapList,
      witnesses: [],
      legal_hold: false,
      retention_days: null,
    };
  }

  #gapList(): Promise<AuditGap[]> {
    return this.database.query<AuditGap>(
      `SELECT kind, name, epoch, first, last,
         to_char(found_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS found_at
       FROM gap ORDER BY id DESC LIMIT $1`,
      [gapsListed],
    );
  }

  /** Boards that are followed, by their head; former epochs, and all of them on a replica that doesn't lead, by their mark. */
  #positions(marks: { board: string; epoch: string; seq: number }[]) {
    const followed = this.boards();
    const current = followed.map(({ board, epoch, head }) => {
      const mark = marks.find((row) => row.board === board && row.epoch === epoch);
      return { board, epoch, head: Math.max(head, mark?.seq ?? 0), audited: mark?.seq ?? 0 };
    });
    const former = marks.filter(
      (mark) => !followed.some(({ board, epoch }) => board === mark.board && epoch === mark.epoch),
    );
    return [...current, ...former.map(({ board, epoch, seq }) => ({ board, epoch, head: seq, audited: seq }))];
  }
}

function summaryOf({ size, root, atMs }: StoredCheckpoint) {
  return { size, root: root.toString('hex'), ageMs: Math.max(0, Math.round(Date.now() - atMs)) };
}
