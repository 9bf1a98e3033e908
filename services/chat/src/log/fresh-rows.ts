import { bounds } from '../bounds.ts';
import type { RelayRow } from './relay-store.ts';

interface Chunk {
  rows: readonly RelayRow[];
  bytes: number;
}

/**
 * What this process has just committed, so that a relay that keeps up need not read it back. Only a shortcut: it is
 * bounded, it lets go of the oldest first, and what is not here is in the log.
 */
export class FreshRows {
  /** Commits of each board, oldest first. */
  readonly #boards = new Map<number, Chunk[]>();
  #isKeeping = false;
  #events = 0;
  #bytes = 0;

  get events(): number {
    return this.#events;
  }

  /** While this process leads the relay; otherwise nobody would fetch them. */
  keep(isKeeping: boolean): void {
    this.#isKeeping = isKeeping;
    if (isKeeping) return;
    this.#boards.clear();
    this.#events = 0;
    this.#bytes = 0;
  }

  /** The rows of one commit: contiguous, in seq order. */
  add(boardId: number, rows: readonly RelayRow[]): void {
    if (!this.#isKeeping || rows.length === 0) return;
    const chunks = this.#boards.get(boardId) ?? [];
    this.#boards.set(boardId, chunks);
    const chunk = { rows, bytes: rows.reduce((sum, row) => sum + (row.body?.length ?? 0), 0) };
    chunks.push(chunk);
    this.#events += rows.length;
    this.#bytes += chunk.bytes;
    while (chunks.length > 0 && this.#isOverBound()) this.#dropOldest(chunks);
  }

  /** The rows that follow a position without a hole, of the epoch that holds; undefined: read the log. */
  take(board: { readonly id: number; readonly epoch: string }, after: number): readonly RelayRow[] | undefined {
    const chunks = this.#boards.get(board.id);
    if (chunks === undefined) return undefined;
    for (let chunk = chunks[0]; chunk !== undefined; chunk = chunks[0]) {
      if (chunk.rows[0]!.seq > after + 1) return undefined;
      this.#dropOldest(chunks);
      const isOfNow = chunk.rows[0]!.epoch === board.epoch;
      if (isOfNow && chunk.rows.at(-1)!.seq > after) return chunk.rows.slice(after + 1 - chunk.rows[0]!.seq);
    }
    return undefined;
  }

  #isOverBound(): boolean {
    return this.#events > bounds.freshEventsMax || this.#bytes > bounds.freshBytesMax;
  }

  #dropOldest(chunks: Chunk[]): void {
    const chunk = chunks.shift()!;
    this.#events -= chunk.rows.length;
    this.#bytes -= chunk.bytes;
  }
}
