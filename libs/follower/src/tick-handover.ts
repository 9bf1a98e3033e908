import type { BoardTrack } from './board-track.ts';
import type { Handover, HandoverOptions } from './handover.ts';

/**
 * For a synchronous handler: all that arrived in one turn of the event loop is handed over at its end, one call for
 * each board. A handler that throws has had its events: its exception is counted and never stops the intake.
 */
export class TickHandover implements Handover {
  readonly #waiting = new Set<BoardTrack>();
  #isScheduled = false;

  constructor(private readonly options: HandoverOptions) {}

  poke(track: BoardTrack): void {
    this.#waiting.add(track);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
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
    this.#isScheduled = false;
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
