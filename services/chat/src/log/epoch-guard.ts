import { boardsStream, boardSubjects, busHeaders, type FollowerMarks } from '@boardwire/contracts';
import type { Database, Queryable } from '@boardwire/database';
import type { Bus } from '@boardwire/messaging';
import type { Logger } from '@boardwire/service-kit';
import type { BoardStore } from '../boards/board-store.ts';
import type { BoardWatch } from '../boards/board-watch.ts';

export interface EpochGuardOptions {
  database: Database;
  store: BoardStore;
  boards: BoardWatch;
  bus: Bus;
  logger: Logger;
  /** Numbers that were learned from the database before may be others now. */
  onReplaced: () => void;
}

interface PostgresIdentity {
  system_identifier: string;
  timeline: string;
}

/**
 * Begins a new epoch whenever seq could have started again: when this is another Postgres than before (restored, or
 * failed over), when it has forgotten events that this process has seen in it, and when the mirror holds events that the
 * log has lost. A backup put back is the same Postgres by its own account.
 */
export class EpochGuard {
  constructor(private readonly options: EpochGuardOptions) {}

  /** Compares the server we talk to with the one that the log was last written on, and with what it held then. */
  async checkPostgres(): Promise<void> {
    const { database, boards, onReplaced } = this.options;
    const seen = boards.all().map(({ id, epoch, head }) => ({ id, epoch, head }));
    const isOther = await database.transaction(
      async (transaction) => (await this.#isReplaced(transaction)) || this.#hasForgotten(transaction, seen),
    );
    if (!isOther) return;
    onReplaced();
    await boards.refresh();
  }

  /** The log of a board was found to have lost events of this epoch. The first who comes begins the next one. */
  async logWentBack(boardId: number, epoch: string): Promise<void> {
    const { database, boards, onReplaced } = this.options;
    await database.transaction(async (transaction) => {
      await transaction.query('SELECT 1 FROM site FOR UPDATE');
      await this.#hasForgotten(transaction, [{ id: boardId, epoch, head: Number.MAX_SAFE_INTEGER }]);
    });
    onReplaced();
    await boards.refresh();
  }

  /** A follower has stored more of an epoch than the log holds: it was put back, whatever else remembers. */
  async marksNoted(marks: FollowerMarks['marks']): Promise<void> {
    const { database, onReplaced, boards } = this.options;
    const ids = new Map(boards.all().map(({ id, slug }) => [slug, id]));
    const stored = marks.flatMap(({ board, epoch, seq }) => {
      const id = ids.get(board);
      return id === undefined ? [] : [{ id, epoch, head: seq }];
    });
    if ((await database.query(forgotten, columnsOf(stored))).length === 0) return;
    await database.transaction(async (transaction) => {
      await transaction.query('SELECT 1 FROM site FOR UPDATE');
      await this.#hasForgotten(transaction, stored);
    });
    onReplaced();
    await boards.refresh();
  }

  async #isReplaced(transaction: Queryable): Promise<boolean> {
    const { store, logger } = this.options;
    const [known] = await transaction.query<{ [K in keyof PostgresIdentity]: string | null }>(
      'SELECT system_identifier, timeline FROM site FOR UPDATE',
    );
    const now = await this.#identity(transaction);
    if (now === undefined) return false;
    if (known?.system_identifier === now.system_identifier && known.timeline === now.timeline) return false;
    await transaction.query('UPDATE site SET system_identifier = $1, timeline = $2', [
      now.system_identifier,
      now.timeline,
    ]);
    // Null at the very first start.
    if (known === undefined || known.system_identifier === null) return false;
    await store.beginEpoch(transaction, 'another Postgres');
    logger.warn({ event: 'epoch.postgres_replaced', from: known, to: now });
    return true;
  }

  /** Every board, also those whose loss nobody here has seen: what other replicas committed last is not known here. */
  async #hasForgotten(transaction: Queryable, seen: readonly SeenHead[]): Promise<boolean> {
    const { store, logger } = this.options;
    const lost = await transaction.query<LostTail>(forgotten, columnsOf(seen));
    if (lost.length === 0) return false;
    await store.beginEpoch(transaction, 'the log went back');
    logger.warn({ event: 'epoch.log_went_back', lost });
    return true;
  }

  /** An operator says that a backup was put back. */
  async restored(): Promise<void> {
    const { database, store, boards, onReplaced, logger } = this.options;
    await database.transaction(async (transaction) => {
      await transaction.query('SELECT 1 FROM site FOR UPDATE');
      await store.beginEpoch(transaction, 'said to be restored');
    });
    logger.warn({ event: 'epoch.said_to_be_restored' });
    onReplaced();
    await boards.refresh();
  }

  /** Compares the mirror with the log, which is read after it: what the mirror has was committed before. */
  async checkMirror(signal: AbortSignal): Promise<void> {
    const { boards } = this.options;
    const mirrored = new Map<number, MirroredPosition>();
    for (const { id, slug } of boards.all()) {
      if (signal.aborted) return;
      // oxlint-disable-next-line no-await-in-loop -- at the start of a term only
      const newest = await this.#newestInMirror(slug);
      if (newest !== undefined) mirrored.set(id, newest);
    }
    await boards.refresh();
    const same = boards.all().filter((board) => mirrored.get(board.id)?.epoch === board.epoch);
    const others = await this.#holdOthers(same.map(({ id }) => ({ id, ...mirrored.get(id)! })));
    const lost = same.filter(({ id, head }) => mirrored.get(id)!.seq > head || others.has(id));
    if (lost.length > 0) await this.#beginEpochs(lost, mirrored);
  }

  /** Boards whose log has grown past what it lost: at the mirror's newest seq it holds another event. */
  async #holdOthers(newest: readonly (MirroredPosition & { id: number })[]): Promise<Set<number>> {
    const rows = await this.options.database.query<{ board: number }>(otherEvents, [
      newest.map(({ id }) => id),
      newest.map(({ seq }) => seq),
      newest.map(({ datahash }) => datahash),
    ]);
    return new Set(rows.map(({ board }) => board));
  }

  /** Hosted databases may keep it to themselves; then only the mirror tells. */
  async #identity(transaction: Queryable): Promise<PostgresIdentity | undefined> {
    const [allowed] = await transaction.query<{ may: boolean }>(
      "SELECT has_function_privilege('pg_control_system()', 'execute') AS may",
    );
    if (allowed?.may !== true) return undefined;
    return (await transaction.query<PostgresIdentity>(postgresIdentity))[0];
  }

  async #beginEpochs(
    ahead: readonly { id: number; slug: string; head: number }[],
    mirrored: ReadonlyMap<number, MirroredPosition>,
  ): Promise<void> {
    const { database, store, boards, logger } = this.options;
    for (const { id, slug, head } of ahead) {
      logger.warn({ event: 'epoch.mirror_ahead', board: slug, head, mirrored: mirrored.get(id)?.seq });
    }
    const ids = ahead.map(({ id }) => id);
    await database.transaction((transaction) => store.beginEpoch(transaction, 'the mirror is ahead of the log', ids));
    await boards.refresh();
  }

  async #newestInMirror(slug: string): Promise<MirroredPosition | undefined> {
    const message = await this.options.bus.streams.lastBySubject(boardsStream.name, boardSubjects(slug));
    if (message === undefined) return undefined;
    const { headers } = message;
    const [epoch, datahash] = [headers.get(busHeaders.epoch), headers.get(busHeaders.datahash)];
    return { epoch, seq: Number(headers.get(busHeaders.seq)), datahash };
  }
}

interface MirroredPosition {
  epoch: string;
  seq: number;
  /** Hexadecimal; salted, so that two events never share one. */
  datahash: string;
}

interface SeenHead {
  id: number;
  epoch: string;
  head: number;
}

interface LostTail {
  board: number;
  head: number;
  seen: number;
}

function columnsOf(seen: readonly SeenHead[]): unknown[] {
  return [seen.map(({ id }) => id), seen.map(({ epoch }) => epoch), seen.map(({ head }) => head)];
}

/** A head that this process has seen committed can't be higher than the log's, unless the log went back. */
const forgotten = `
  SELECT h.board_id AS board, h.seq AS head, w.head AS seen
  FROM unnest($1::int[], $2::text[], $3::bigint[]) AS w(board_id, epoch, head)
  JOIN board_head h ON h.board_id = w.board_id AND h.epoch = w.epoch AND h.seq < w.head`;

const otherEvents = `
  SELECT e.board_id AS board FROM unnest($1::int[], $2::bigint[], $3::text[]) AS w(board_id, seq, datahash)
  JOIN event e ON e.board_id = w.board_id AND e.seq = w.seq WHERE encode(e.datahash, 'hex') <> w.datahash`;

/** The timeline is the first eight digits of a WAL file's name. */
const postgresIdentity = `
  SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
    left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline`;
