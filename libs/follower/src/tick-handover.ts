import type { BoardTrack } from './board-track.ts';
import type { Handover, HandoverOptions } from './handover.ts';

/**
 * For a synchronous handler: all that arrived in one turn of the event loop is handed over at its end, one call for
 * each board. A handler that throws has had its events: its exception is counted and never stops the intake.
 */
export class TickHandover implements Handover {
  readonly #waiting = new Set<BoardTrack>();
  /** When the first of those who wait came; 0 while nobody does. */
  #waitingSinceMs = 0;

  constructor(private readonly options: HandoverOptions) {}

  poke(track: BoardTrack): void {
    this.#waiting.add(track);
    if (this.#waitingSinceMs > 0) return;
    this.#waitingSinceMs = performance.now();
    setImmediate(() => this.#flush());
  }

  settle(track: BoardTrack): Promise<void> {
    this.#hand(track);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#flush();
    return Promise.resolve();
  }

  #flush(): void {
    if (this.#waitingSinceMs > 0) this.options.onWaited((performance.now() - this.#waitingSinceMs) / 1_000);
    this.#waitingSinceMs = 0;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const track of waiting) this.#hand(track);
  }

  #hand(track: BoardTrack): void {
    const events = track.queue;
    if (events.length === 0 || track.isGone) return;
    track.removeHanded(events.length);
    try {
      void this.options.onEvents(track.board, events);
    } catch (error) {
      this.options.onFailure(track, error);
    }
    this.options.onHanded(track);
  }
}
