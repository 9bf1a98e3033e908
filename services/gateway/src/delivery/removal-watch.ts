import type { RemovedSeqs, SyncBoard } from '@boardwire/contracts';
import type { BoardChannel } from './board-channel.ts';

export interface RemovalWatchOptions {
  /** Asks chat which events from a seq on have lost their content. */
  log: { removed(board: string, from: number): Promise<RemovedSeqs> };
  channel: (board: string) => BoardChannel | undefined;
  /** Content was removed here. */
  onRedacted: (board: string) => void;
  onFailure: (board: string, error: unknown) => void;
}

const retryMs = 200;

/**
 * Takes content that was removed from the log out of this pod's memory. `/sync` tells how many removals a board has
 * seen; which ones lie in the ring is asked for, so nothing depends on having heard of each.
 */
export class RemovalWatch {
  readonly #options: RemovalWatchOptions;
  readonly #asking = new Set<string>();
  readonly #wanted = new Map<string, number>();

  constructor(options: RemovalWatchOptions) {
    this.#options = options;
  }

  /** What chat last said about a board. */
  look({ slug, removals = 0 }: Pick<SyncBoard, 'slug' | 'removals'>): void {
    this.#wanted.set(slug, removals);
    if (!this.#asking.has(slug)) void this.#catchUp(slug);
  }

  forget(board: string): void {
    this.#wanted.delete(board);
  }

  async #catchUp(board: string): Promise<void> {
    this.#asking.add(board);
    try {
      for (let channel = this.#behind(board); channel !== undefined; channel = this.#behind(board)) {
        // oxlint-disable-next-line no-await-in-loop -- until it has caught up
        await this.#redact(board, channel);
      }
    } finally {
      this.#asking.delete(board);
    }
  }

  #behind(board: string): BoardChannel | undefined {
    const channel = this.#options.channel(board);
    return channel !== undefined && channel.removals < (this.#wanted.get(board) ?? 0) ? channel : undefined;
  }

  async #redact(board: string, channel: BoardChannel): Promise<void> {
    try {
      // What is told while chat answers may be newer than its answer: that is asked for again.
      const told = this.#wanted.get(board) ?? 0;
      const { removals, seqs } = await this.#options.log.removed(board, channel.ring.oldest);
      channel.redact(Math.max(removals, told), seqs);
      this.#options.onRedacted(board);
    } catch (error) {
      this.#options.onFailure(board, error);
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}
