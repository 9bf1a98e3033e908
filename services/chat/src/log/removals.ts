import { boardsStream, boardSubject, type RemovedSeqs } from '@boardwire/contracts';
import type { Database, DecisionOutbox } from '@boardwire/database';
import type { Bus } from '@boardwire/messaging';
import { AppError, type Logger } from '@boardwire/service-kit';
import type { BoardWatch, WatchedBoard } from '../boards/board-watch.ts';
import { available } from '../store/available.ts';
import type { RemovalStore } from './removal-store.ts';

export interface RemovalsOptions {
  database: Database;
  bus: Bus;
  store: RemovalStore;
  boards: BoardWatch;
  decisions: DecisionOutbox;
  logger: Logger;
}

/**
 * Removes the content of single events: from the log in one transaction, from gateways by `/sync`, and from the mirror
 * by purging the event's subject there, which followers heal from the log like any other hole.
 */
export class Removals {
  constructor(private readonly options: RemovalsOptions) {}

  /** @throws AppError `board_unknown`, or `not_found` when the board has no such event, or none any more. */
  async remove(slug: string, seq: number, actor: string): Promise<void> {
    const { database, store, boards, decisions, logger } = this.options;
    const { id: boardId } = await this.#board(slug);
    await available(() =>
      database.transaction(async (transaction) => {
        if (!(await store.remove(transaction, { boardId, seq, actor }))) throw new AppError('not_found');
        const detail = { seq };
        await decisions.add(transaction, { action: 'event.remove', outcome: 'done', actor, board: slug, detail });
      }),
    );
    await available(() => boards.refresh());
    await this.clearMirror().catch((error: unknown) => logger.warn({ event: 'removal.mirror_later', err: error }));
  }

  async removedFrom(slug: string, from: number, before?: number): Promise<RemovedSeqs> {
    const { id } = await this.#board(slug);
    return available(() => this.options.store.removedFrom(id, from, before));
  }

  /** What could not be cleared stays to be cleared: without NATS, or before the relay has brought it there. */
  async clearMirror(): Promise<void> {
    const { bus, store } = this.options;
    if (!bus.connected) return;
    for (const removal of await store.toClear()) {
      // oxlint-disable-next-line no-await-in-loop -- seldom more than one
      await bus.streams.purge(boardsStream.name, boardSubject(removal.slug, removal.subject));
      // oxlint-disable-next-line no-await-in-loop
      await store.noteCleared(removal);
    }
  }

  async #board(slug: string): Promise<WatchedBoard> {
    const board = await this.options.boards.find(slug);
    if (board === undefined) throw new AppError('board_unknown');
    return board;
  }
}
