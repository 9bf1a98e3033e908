import {
  boardsStream,
  boardSubject,
  redactedType,
  type RedactionsRequest,
  type RemovedSeqs,
} from '@boardwire/contracts';
import type { Database, DecisionOutbox, Queryable } from '@boardwire/database';
import type { Bus } from '@boardwire/messaging';
import { AppError, type Logger } from '@boardwire/service-kit';
import type { BoardWatch, WatchedBoard } from '../boards/board-watch.ts';
import { available } from '../store/available.ts';
import { eventKeyOf } from './event-bytes.ts';
import type { RemovableEvent, RemovalStore } from './removal-store.ts';

export interface RemovalsOptions {
  database: Database;
  bus: Bus;
  store: RemovalStore;
  boards: BoardWatch;
  decisions: DecisionOutbox;
  /** Tells readers of removals that they haven't been told of. */
  tellReaders: () => Promise<void>;
  logger: Logger;
}

/** Who wants content to be gone: whoever isn't an administrator, or a service, removes their own. */
export interface Remover {
  actor: string;
  isAdministrator: boolean;
}

/**
 * Removes the content of single events: from the log in one transaction, from gateways by `/sync`, and from the mirror
 * by purging the event's subject there, which followers heal from the log like any other hole. Readers are told by an
 * event of its own.
 */
export class Removals {
  constructor(private readonly options: RemovalsOptions) {}

  /** @throws AppError `board_unknown`, `not_found` when the board has no such event, or none any more, `forbidden` */
  async remove(slug: string, seq: number, remover: Remover): Promise<void> {
    const { id: boardId } = await this.#board(slug);
    await available(() =>
      this.options.database.transaction(async (transaction) => {
        const event = await this.options.store.find(transaction, boardId, seq);
        if (event === undefined) throw new AppError('not_found');
        assertMayRemove(event, remover);
        if (event.body !== null) await this.#remove(transaction, event, { slug, actor: remover.actor, isTold: false });
      }),
    );
    await this.#carryOn();
    await this.tellReaders();
  }

  /** What other sites have removed; their own event tells readers of it. @throws AppError `board_unknown` */
  async redact(slug: string, items: RedactionsRequest['items']): Promise<void> {
    const { id: boardId } = await this.#board(slug);
    const { database, store } = this.options;
    for (const { by, ...named } of items) {
      // oxlint-disable-next-line no-await-in-loop -- seldom more than one
      await available(() =>
        database.transaction(async (transaction) => {
          const seq = await store.seqOf(transaction, eventKeyOf(named, { boardId, origin: named.origin }));
          const event = seq === undefined ? undefined : await store.find(transaction, boardId, seq);
          if (event === undefined || event.body === null || event.type === redactedType) return;
          await this.#remove(transaction, event, { slug, actor: by, isTold: true });
        }),
      );
    }
    await this.#carryOn();
  }

  async removedFrom(slug: string, from: number, before?: number): Promise<RemovedSeqs> {
    const { id } = await this.#board(slug);
    return available(() => this.options.store.removedFrom(id, from, before));
  }

  /** What could not be told stays to be told. */
  async tellReaders(): Promise<void> {
    const { tellReaders, logger } = this.options;
    await tellReaders().catch((error: unknown) => logger.warn({ event: 'removal.told_later', err: error }));
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

  async #remove(
    transaction: Queryable,
    event: RemovableEvent,
    { slug, actor, isTold }: { slug: string; actor: string; isTold: boolean },
  ): Promise<void> {
    const { store, decisions } = this.options;
    await store.remove(transaction, event, { actor, isTold });
    const decision = { action: 'event.remove', outcome: 'done', actor, board: slug } as const;
    await decisions.add(transaction, { ...decision, detail: { seq: event.seq } });
  }

  async #carryOn(): Promise<void> {
    const { boards, logger } = this.options;
    await available(() => boards.refresh());
    await this.clearMirror().catch((error: unknown) => logger.warn({ event: 'removal.mirror_later', err: error }));
  }

  async #board(slug: string): Promise<WatchedBoard> {
    const board = await this.options.boards.find(slug);
    if (board === undefined) throw new AppError('board_unknown');
    return board;
  }
}

function assertMayRemove(event: RemovableEvent, { actor, isAdministrator }: Remover): void {
  if (!isAdministrator && !isOwn(event, actor)) {
    throw new AppError('forbidden', { detail: 'only administrators and its author remove an event' });
  }
  // Else nobody could prove any more why the other event's content is gone.
  if (event.type === redactedType) throw new AppError('forbidden', { detail: 'that something was removed stays' });
}

/** Of a person of this site; people of other sites may have the same id. */
function isOwn({ origin, body, removedBy }: RemovableEvent, actor: string): boolean {
  if (origin !== null) return false;
  if (body === null) return removedBy === actor;
  return (JSON.parse(body) as { author?: unknown }).author === actor;
}
