import { boardsStream, boardSubjects, busHeaders } from '@boardwire/contracts';
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
 * failed over), and when the mirror holds events that the log has lost.
 */
export class EpochGuard {
  constructor(private readonly options: EpochGuardOptions) {}

  /** Compares the server we talk to with the one that the log was last written on. */
  async checkPostgres(): Promise<void> {
    const { database, store, boards, logger, onReplaced } = this.options;
    const isReplaced = await database.transaction(async (transaction) => {
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
    });
    if (!isReplaced) return;
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
    const ahead = boards.all().filter((board) => {
      const newest = mirrored.get(board.id);
      return newest !== undefined && newest.epoch === board.epoch && newest.seq > board.head;
    });
    if (ahead.length > 0) await this.#beginEpochs(ahead, mirrored);
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
    return { epoch: message.headers.get(busHeaders.epoch), seq: Number(message.headers.get(busHeaders.seq)) };
  }
}

interface MirroredPosition {
  epoch: string;
  seq: number;
}

/** The timeline is the first eight digits of a WAL file's name. */
const postgresIdentity = `
  SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
    left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline`;
