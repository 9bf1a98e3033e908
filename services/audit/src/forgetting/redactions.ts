import { removedSeqsSchema, type SyncBoard } from '@boardwire/contracts';
import { isConnectionError, type Database, type Queryable } from '@boardwire/database';
import { AppError, type InternalClient, type Logger, type Loop } from '@boardwire/service-kit';
import { beating } from '../beating.ts';
import { asRetention } from '../database/as-retention.ts';
import { addOwnDecision } from '../decisions/own-decisions.ts';
import type { AuditMetrics } from '../metrics.ts';

export interface RedactionsOptions {
  database: Database;
  chat: InternalClient;
  role: string | undefined;
  isHeld: boolean;
  isLeading: () => boolean;
  metrics: AuditMetrics;
  logger: Logger;
}

interface Told {
  epoch: string;
  removals: number;
}

const lookEveryMs = 1_000;

/**
 * Takes the content of removed events out of the audit too. `/sync` counts the removals of a board; which ones they are is
 * asked for, and the count is kept only when all of them are audited: an event on its way in still brings its content.
 */
export class Redactions {
  readonly #options: RedactionsOptions;
  readonly #told = new Map<string, Told>();
  readonly #done = new Map<string, number>();
  #wake: () => void = () => undefined;

  constructor(options: RedactionsOptions) {
    this.#options = options;
  }

  /** What chat last said of its boards. */
  look(boards: readonly SyncBoard[]): void {
    for (const { slug, epoch, removals = 0 } of boards) {
      if (this.#told.get(slug)?.epoch !== epoch) this.#done.delete(slug);
      this.#told.set(slug, { epoch, removals });
    }
    if (this.#behind().length > 0) this.#wake();
  }

  forget(board: string): void {
    this.#told.delete(board);
    this.#done.delete(board);
  }

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one pass after the other
      await beating(loop, () => this.#pass(loop));
      // oxlint-disable-next-line no-await-in-loop
      await loop.idle(lookEveryMs, this.#behind().length > 0 ? undefined : this.#woken());
    }
  }

  async #pass(loop: Loop): Promise<void> {
    const { isHeld, isLeading, logger } = this.#options;
    if (isHeld || !isLeading()) return;
    for (const board of this.#behind()) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- seldom more than one
        await this.#catchUp(board, loop);
      } catch (error) {
        if (!isConnectionError(error) && !(error instanceof AppError)) throw error;
        logger.warn({ event: 'redaction.later', board, err: error });
      }
    }
  }

  async #catchUp(board: string, loop: Loop): Promise<void> {
    const { database } = this.#options;
    const { removals, epoch } = this.#told.get(board)!;
    if ((await this.#stored(board, epoch)) >= removals) return void this.#done.set(board, removals);
    const seqs = await this.#removed(board, loop);
    const isDone = await database.transaction(async (transaction) => {
      // Read before the details: whatever is in by then is found by them.
      const [mark] = await transaction.query<{ seq: number }>('SELECT seq FROM mark WHERE board = $1 AND epoch = $2', [
        board,
        epoch,
      ]);
      const isAudited = seqs.every((seq) => seq <= (mark?.seq ?? 0));
      await this.#redact(transaction, board, seqs);
      if (isAudited) await noteDone(transaction, board, { epoch, removals });
      return isAudited;
    });
    if (isDone) this.#done.set(board, removals);
  }

  async #redact(transaction: Queryable, board: string, seqs: readonly number[]): Promise<void> {
    const { role, metrics } = this.#options;
    const rows = await transaction.query<{ seq: number }>(heldDetails, [board, seqs]);
    if (rows.length === 0) return;
    const found = rows.map(({ seq }) => seq);
    await transaction.query('INSERT INTO redaction (seq) SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING', [found]);
    await addOwnDecision(transaction, { action: 'audit.detail_redacted', board, detail: { entries: found } });
    await asRetention(transaction, role, () =>
      transaction.query('DELETE FROM detail WHERE seq = ANY ($1::bigint[])', [found]),
    );
    metrics.forgotten('details', found.length);
  }

  /** All of them, newest first. One that is removed meanwhile raises the count, and so is found by the next look. */
  async #removed(board: string, loop: Loop): Promise<number[]> {
    const all: number[] = [];
    for (let isMore = true; isMore;) {
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      const page = await this.#removedBefore(board, all.at(-1), loop);
      all.push(...page);
      isMore = page.length > 0;
    }
    return all;
  }

  async #removedBefore(board: string, before: number | undefined, loop: Loop): Promise<number[]> {
    const { seqs } = await this.#options.chat.request({
      method: 'GET',
      path: `/internal/v1/boards/${encodeURIComponent(board)}/removed?from=1${before === undefined ? '' : `&before=${before}`}`,
      route: '/internal/v1/boards/{board}/removed',
      schema: removedSeqsSchema,
      timeoutMs: 5_000,
      signal: loop.signal,
    });
    return seqs;
  }

  async #stored(board: string, epoch: string): Promise<number> {
    const [row] = await this.#options.database.query<{ removals: number }>(
      'SELECT removals FROM removal_mark WHERE board = $1 AND epoch = $2',
      [board, epoch],
    );
    return row?.removals ?? 0;
  }

  #behind(): string[] {
    return [...this.#told].filter(([board, { removals }]) => removals > (this.#done.get(board) ?? 0)).map(([b]) => b);
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

/** An event may be audited under several epochs of its board; another one that had its seq in a former one is not it. */
const heldDetails = `
  WITH audited AS MATERIALIZED (
    SELECT seq, board_seq, event_id FROM entry WHERE board = $1 AND board_seq = ANY ($2::bigint[])
  ), newest AS (
    SELECT DISTINCT ON (board_seq) board_seq, event_id FROM audited ORDER BY board_seq, seq DESC
  )
  SELECT seq FROM audited JOIN newest USING (board_seq, event_id) JOIN detail USING (seq) ORDER BY seq`;

async function noteDone(transaction: Queryable, board: string, { epoch, removals }: Told): Promise<void> {
  await transaction.query(
    `INSERT INTO removal_mark (board, epoch, removals) VALUES ($1, $2, $3)
     ON CONFLICT (board, epoch) DO UPDATE SET removals = excluded.removals`,
    [board, epoch, removals],
  );
}
