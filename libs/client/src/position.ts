import { formatCursor, parseCursor, type Cursor } from '@boardwire/contracts';

export type Verdict = 'next' | 'seen' | 'foreign';

/**
 * How far a board was read. It only ever moves forward inside an epoch; another epoch is taken over from `reset` and
 * from the first opening alone, so nothing is skipped or repeated because a stream ended at an unlucky moment.
 */
export class Position {
  #at: Cursor | undefined;

  constructor(cursor?: string) {
    this.#at = cursor === undefined ? undefined : parseCursor(cursor);
  }

  get cursor(): string | undefined {
    return this.#at === undefined ? undefined : formatCursor(this.#at.epoch, this.#at.seq);
  }

  /** Judges an event's cursor: new, already seen, or of an epoch that was never announced. */
  judge(cursor: string): Verdict {
    const given = parseCursor(cursor);
    if (given === undefined) return 'foreign';
    if (this.#at === undefined) return 'next';
    if (given.epoch !== this.#at.epoch) return 'foreign';
    return given.seq > this.#at.seq ? 'next' : 'seen';
  }

  advance(cursor: string): void {
    if (this.judge(cursor) === 'next') this.#at = parseCursor(cursor);
  }

  /** Takes a position that the server declared by `reset`, which may lie anywhere. */
  replace(cursor: string): void {
    this.#at = parseCursor(cursor) ?? this.#at;
  }

  /** True when a stream that says it resumed at `from` would leave out events after our position. */
  wouldSkip(from: string): boolean {
    return this.#at !== undefined && this.judge(from) !== 'seen';
  }
}
