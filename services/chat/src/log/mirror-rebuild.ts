import { setTimeout as sleep } from 'node:timers/promises';
import { boardsStream, boardSubjects } from '@boardwire/contracts';
import type { Bus } from '@boardwire/messaging';
import type { Logger } from '@boardwire/service-kit';
import type { BoardWatch, WatchedBoard } from '../boards/board-watch.ts';
import type { RelayStore } from './relay-store.ts';

export interface MirrorRebuildOptions {
  bus: Bus;
  boards: BoardWatch;
  store: RelayStore;
  logger: Logger;
}

/** The shortest that servers take, and then some: they look for what is over in steps of it. */
const shortWindowMs = 100;
const forgottenAfterMs = 5 * shortWindowMs;

/**
 * Takes boards out of the mirror and puts their marks back, so that the relay publishes again what the stream would hold
 * had nothing happened: all that is younger than its messages may be. Interrupted anywhere, it is asked for still.
 */
export class MirrorRebuild {
  constructor(private readonly options: MirrorRebuildOptions) {}

  /** @param letGo ends what this process publishes of a board */
  async begin(
    asked: readonly WatchedBoard[],
    letGo: (boardId: number) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { bus, boards, logger } = this.options;
    await Promise.all(asked.map(({ id }) => letGo(id)));
    await this.#forgetMessageIds(signal);
    for (const { slug } of asked) {
      if (signal.aborted) return;
      // oxlint-disable-next-line no-await-in-loop -- an operator waits, not a reader
      await bus.streams.purge(boardsStream.name, boardSubjects(slug));
    }
    for (const board of asked) {
      if (signal.aborted) return;
      // oxlint-disable-next-line no-await-in-loop
      await this.#putBack(board);
    }
    logger.info({ event: 'relay.rebuilding', boards: asked.map(({ slug }) => slug) });
    await boards.refresh();
  }

  /**
   * The stream drops for half a minute what it has had once, also what was purged since. Other boards' relay loses that
   * protection for a moment; followers drop by seq what comes twice.
   */
  async #forgetMessageIds(signal: AbortSignal): Promise<void> {
    const { streams } = this.options.bus;
    await streams.ensure({ ...boardsStream, duplicateWindowMs: shortWindowMs });
    try {
      await sleep(forgottenAfterMs, undefined, { signal }).catch(() => undefined);
    } finally {
      await streams.ensure(boardsStream);
    }
  }

  async #putBack(board: WatchedBoard): Promise<void> {
    const { store } = this.options;
    const asked = board.rebuildsAsked;
    const seq = await store.lastBefore(board, Date.now() - boardsStream.maxAgeMs);
    await store.putBack(board.id, seq, asked);
  }
}
