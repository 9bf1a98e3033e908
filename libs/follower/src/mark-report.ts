import type { BoardPosition } from './board-follower-options.ts';
import type { ChatLog } from './chat-log.ts';

const everyMs = 5_000;

/**
 * Tells chat how far this follower has stored each board, so that nothing is pruned that it still needs. What could not
 * be told is told the next time: pruning then only waits longer.
 */
export class MarkReport {
  #nextAt = 0;
  #told = '';

  constructor(
    private readonly chat: ChatLog,
    private readonly positions: () => BoardPosition[],
  ) {}

  /** Tells at the next look what was told before: chat may have lost it since. */
  again(): void {
    this.#told = '';
  }

  /** To be called about twice a second. */
  look(): void {
    if (performance.now() < this.#nextAt) return;
    this.#nextAt = performance.now() + everyMs;
    const marks = this.positions().map(({ board, epoch, last }) => ({ board, epoch, seq: last }));
    const text = JSON.stringify(marks);
    if (text === this.#told || marks.length === 0) return;
    this.chat.noteMarks?.({ marks }).then(
      () => {
        this.#told = text;
      },
      () => {},
    );
  }
}
