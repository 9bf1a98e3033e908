import type { AuditGap, AuditHealth } from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import type { BoardPosition } from '@boardwire/follower';
import type { KeepingPolicy } from '../forgetting/build-keeping.ts';
import type { Scrub } from '../log/scrub.ts';
import type { KnownWitnesses } from '../witnessing/known-witnesses.ts';
import { logSpan } from './log-spans.ts';
import { newestCheckpoint, type StoredCheckpoint } from './stored-checkpoints.ts';

const gapsListed = 100;

export interface LogStatusOptions {
  database: Database;
  boards: () => BoardPosition[];
  scrub: Pick<Scrub, 'rounds' | 'findings'>;
  policy: KeepingPolicy;
  witnesses: Pick<KnownWitnesses, 'all'>;
}

/** How far the log has come, and what is missing from it. */
export class LogStatus {
  constructor(private readonly options: LogStatusOptions) {}

  /** The newest signed checkpoint of the epoch that is being written; undefined while nothing of it is signed. */
  async checkpoint(): Promise<StoredCheckpoint | undefined> {
    const { era } = await logSpan(this.options.database);
    return newestCheckpoint(this.options.database, era);
  }

  async health(): Promise<AuditHealth> {
    const { policy, scrub } = this.options;
    const span = await logSpan(this.options.database);
    const [checkpoint, marks, gaps, gapList, former, witnesses] = await Promise.all([
      newestCheckpoint(this.options.database, span.era),
      this.options.database.query<{ board: string; epoch: string; seq: number }>('SELECT board, epoch, seq FROM mark'),
      this.options.database.query<{ kind: string; name: string; epoch: string; gaps: number }>(
        'SELECT kind, name, epoch, count(*) AS gaps FROM gap GROUP BY kind, name, epoch',
      ),
      this.#gapList(),
      this.#former(),
      this.options.witnesses.all(),
    ]);
    const gapsOf = (board: string, epoch: string) =>
      gaps.find((row) => row.kind === 'board' && row.name === board && row.epoch === epoch)?.gaps ?? 0;
    return {
      size: span.leaves,
      first_seq: span.firstSeq,
      checkpoint: checkpoint === undefined ? null : summaryOf(checkpoint),
      boards: this.#positions(marks).map((position) => ({ ...position, gaps: gapsOf(position.board, position.epoch) })),
      gaps: gaps.reduce((sum, row) => sum + row.gaps, 0),
      epoch: span.epoch,
      former,
      gap_list: gapList,
      witnesses,
      legal_hold: policy.isHeld,
      retention_days: policy.recordDays ?? null,
      detail_days: policy.detailDays ?? null,
      scrub: { rounds: scrub.rounds, findings: [...scrub.findings] },
    };
  }

  /** Epochs of which nothing was ever signed have nothing to be compared with. */
  async #former(): Promise<AuditHealth['former']> {
    const rows = await this.options.database.query<{ epoch: string; size: number; root: Buffer; note: string }>(
      'SELECT epoch, size, root, note FROM former_epoch WHERE note IS NOT NULL ORDER BY era DESC',
    );
    return rows.map(({ root, ...row }) => ({ ...row, root: root.toString('hex') }));
  }

  #gapList(): Promise<AuditGap[]> {
    return this.options.database.query<AuditGap>(
      `SELECT kind, name, epoch, first, last,
         to_char(found_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS found_at
       FROM gap ORDER BY id DESC LIMIT $1`,
      [gapsListed],
    );
  }

  /** Boards that are followed, by their head; former epochs, and all of them on a replica that doesn't lead, by their mark. */
  #positions(marks: { board: string; epoch: string; seq: number }[]) {
    const followed = this.options.boards();
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
