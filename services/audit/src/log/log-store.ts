import type { Database } from '@boardwire/database';
import { appendParameters, appendStatement, type Batch } from './append-batch.ts';
import type { DayPartitions } from './day-partitions.ts';
import type { Gap } from './entry.ts';
import { newLogEpoch, type LogEpochs, type OutsideView } from './log-epochs.ts';
import type { LogPlace } from './log-place.ts';
import type { LogWitness } from './log-witness.ts';
import { postgresIdentity } from './postgres-identity.ts';
import { readStoredLog } from './stored-log.ts';
import type { Tree } from './tree.ts';

/** What a sequencer has to know before it appends. */
export interface LogState extends LogPlace {
  epoch: string;
  tree: Tree;
  /** The log was compared with what its witness has seen; what was not may not be signed. */
  isWitnessed: boolean;
  /** Last audited seq by `board/epoch`. */
  marks: Map<string, number>;
}

export const markKey = (board: string, epoch: string) => `${board}/${epoch}`;

/** No partition of the table takes the row. */
const isMissingPartition = (error: unknown) => (error as { code?: string }).code === '23514';

export interface LogStoreOptions {
  database: Database;
  partitions: DayPartitions;
  epochs: LogEpochs;
  /** Absent where nothing outside the database is asked. */
  witness?: LogWitness | undefined;
}

/** The log in Postgres. */
export class LogStore {
  readonly #database: Database;
  readonly #options: LogStoreOptions;
  #seen: OutsideView['seen'];

  constructor(options: LogStoreOptions) {
    this.#options = options;
    this.#database = options.database;
  }

  /**
   * Reads what is needed to go on. A log that has lost what was signed is not gone on with: a new epoch is begun first.
   */
  async load(): Promise<LogState> {
    await this.#begin();
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- again behind a new epoch
      const state = await this.#loadOnce();
      if (state !== undefined) return state;
    }
  }

  /** Undefined when it had to begin a new epoch. */
  async #loadOnce(): Promise<LogState | undefined> {
    const { epochs } = this.#options;
    // Before the snapshot: what the witness has seen was committed then.
    const { isWitnessed, witnessed } = await this.#askWitness();
    const { log, marks, view, reason } = await this.#database.transaction(async (snapshot) => {
      // One snapshot: a former leader may still be appending, and its next checkpoint is ahead of the tree read before.
      await snapshot.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const stored = await readStoredLog(snapshot);
      const outside = { witnessed, seen: this.#seen, identity: await postgresIdentity(snapshot) };
      return {
        log: stored,
        view: outside,
        reason: await epochs.reasonToEnd(snapshot, stored, outside),
        marks: await snapshot.query<{ board: string; epoch: string; seq: number }>('SELECT * FROM mark'),
      };
    });
    if (reason !== undefined) {
      await epochs.begin(log, reason, view);
      return undefined;
    }
    if (log.writtenOn.systemIdentifier === null && view.identity !== undefined) {
      await this.#database.query('UPDATE tree SET system_identifier = $1, timeline = $2', [
        view.identity.systemIdentifier,
        view.identity.timeline,
      ]);
    }
    const { epoch, era, firstSeq, tree } = log;
    this.#seen = { epoch, size: tree.size };
    const byBoard = new Map(marks.map((mark) => [markKey(mark.board, mark.epoch), mark.seq]));
    return { epoch, era, firstSeq, tree, isWitnessed, marks: byBoard };
  }

  /** Appends one batch, or nothing. False when somebody else has appended since the state was loaded. */
  async append(epoch: string, batch: Batch): Promise<boolean> {
    const { partitions } = this.#options;
    const days = batch.entries.map(({ day }) => day);
    await partitions.ensure(days);
    const append = () => this.#database.prepared(appendStatement, appendParameters(batch));
    const rows = await append().catch(async (error: unknown) => {
      if (!isMissingPartition(error)) throw error;
      // The day has outlived its retention and was dropped, and something of it comes late. Nothing was appended.
      partitions.forget();
      await partitions.ensure(days);
      return append();
    });
    if (rows.length !== 1) return false;
    this.#seen = { epoch, size: batch.growth.size };
    return true;
  }

  /** A backup was put back, as somebody says who must know: the leader begins a new epoch before it appends again. */
  async noteRestored(by: string): Promise<void> {
    await this.#database.query('UPDATE tree SET restored = $1', [by.slice(0, 256)]);
  }

  async recordGap(gap: Gap): Promise<void> {
    await this.#database.query(
      `INSERT INTO gap (kind, name, epoch, first, last) SELECT $1, $2, $3, $4::bigint, $5::bigint
       WHERE NOT EXISTS (SELECT FROM gap WHERE kind = $1 AND name = $2 AND epoch = $3 AND first <= $4 AND last >= $5)`,
      [gap.kind, gap.name, gap.epoch, gap.first, gap.last],
    );
  }

  async openGaps(): Promise<number> {
    const [row] = await this.#database.query<{ gaps: number }>('SELECT count(*) AS gaps FROM gap');
    return row!.gaps;
  }

  async loadMark(board: string, epoch: string): Promise<number | undefined> {
    const [row] = await this.#database.query<{ seq: number }>('SELECT seq FROM mark WHERE board = $1 AND epoch = $2', [
      board,
      epoch,
    ]);
    return row?.seq;
  }

  /** A witness that can't be asked holds up signatures, not entries. */
  async #askWitness(): Promise<{ isWitnessed: boolean; witnessed: OutsideView['witnessed'] }> {
    const { witness } = this.#options;
    if (witness === undefined) return { isWitnessed: true, witnessed: undefined };
    try {
      return { isWitnessed: true, witnessed: await witness.read() };
    } catch {
      return { isWitnessed: false, witnessed: undefined };
    }
  }

  /** The first replica that comes here begins the log. */
  async #begin(): Promise<void> {
    await this.#database.query(
      `INSERT INTO tree (epoch, size, edge) VALUES ($1, 0, '') ON CONFLICT (is_only) DO NOTHING`,
      [newLogEpoch()],
    );
  }
}
