import { pause } from './pause.ts';
import type { BoardTrack } from './board-track.ts';
import type { Handover, HandoverOptions } from './handover.ts';

export interface MarkedHandoverOptions extends HandoverOptions {
  /** Events in one call. */
  batchMax: number;
  /** Calls that run at once, for different boards. */
  concurrency: number;
  /** Between the starts of two batches of one board, unless a whole batch waits: fewer and fuller ones cost less. */
  paceOf: (board: string) => number;
}

const retryMsMin = 100;
const retryMsMax = 5_000;
const stopMsMax = 5_000;

/**
 * For a handler that stores what it gets together with its mark: a batch leaves the queue only after the handler
 * resolved. One that fails gets the same batch again, with backoff, for as long as it takes.
 */
export class MarkedHandover implements Handover {
  readonly #stopping = new AbortController();
  readonly #running = new Map<BoardTrack, Promise<void>>();
  readonly #slotWaiters: (() => void)[] = [];
  readonly #resting = new Map<BoardTrack, () => void>();
  /** Of each board one event whose wait is measured: exact, and next to nothing to keep. */
  readonly #measured = new WeakMap<BoardTrack, { epoch: string; seq: number; sinceMs: number }>();
  #slotsTaken = 0;

  constructor(private readonly options: MarkedHandoverOptions) {}

  poke(track: BoardTrack): void {
    this.#measureFrom(track);
    if (track.queue.length >= this.options.batchMax) this.#resting.get(track)?.();
    if (this.#running.has(track) || track.queue.length === 0 || this.#stopping.signal.aborted) return;
    const run = this.#drain(track).finally(() => {
      this.#running.delete(track);
      this.poke(track);
    });
    this.#running.set(track, run);
  }

  async settle(track: BoardTrack): Promise<void> {
    while (track.queue.length > 0 && !track.isGone && !this.#stopping.signal.aborted) {
      this.poke(track);
      this.#resting.get(track)?.();
      await this.#running.get(track);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const wake of [...this.#slotWaiters.splice(0), ...this.#resting.values()]) wake();
    const finished = new AbortController();
    const running = Promise.all(this.#running.values()).then(() => finished.abort());
    await Promise.race([running, pause(stopMsMax, finished.signal)]);
  }

  async #drain(track: BoardTrack): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; track.queue.length > 0 && !track.isGone && !signal.aborted;) {
      const startedMs = performance.now();
      const failed = await this.#handBatch(track);
      failures = failed ? failures + 1 : 0;
      if (failed)
        await pause(Math.min(retryMsMax, retryMsMin * 2 ** (failures - 1)) * (0.5 + Math.random() / 2), signal);
      else await this.#rest(track, startedMs + this.options.paceOf(track.board) - performance.now());
    }
  }

  async #rest(track: BoardTrack, ms: number): Promise<void> {
    if (ms <= 0 || track.queue.length >= this.options.batchMax || this.#stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#resting.set(track, () => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.#resting.delete(track);
  }

  async #handBatch(track: BoardTrack): Promise<boolean> {
    await this.#takeSlot();
    try {
      if (this.#stopping.signal.aborted || track.isGone) return false;
      const batch = track.queue.slice(0, this.options.batchMax);
      await this.options.onEvents(track.board, batch);
      if (!track.isGone) track.removeHanded(batch.length);
      this.#measureTo(track);
      this.options.onHanded(track);
      return false;
    } catch (error) {
      this.options.onFailure(track, error);
      return true;
    } finally {
      this.#slotsTaken -= 1;
      this.#slotWaiters.shift()?.();
    }
  }

  #measureFrom(track: BoardTrack): void {
    if (track.queue.length === 0 || this.#measured.get(track)?.epoch === track.epoch) return;
    this.#measured.set(track, { epoch: track.epoch, seq: track.received, sinceMs: performance.now() });
  }

  #measureTo(track: BoardTrack): void {
    const measured = this.#measured.get(track);
    if (measured === undefined || measured.epoch !== track.epoch || track.handed < measured.seq) return;
    this.#measured.delete(track);
    this.options.onWaited((performance.now() - measured.sinceMs) / 1_000);
  }

  async #takeSlot(): Promise<void> {
    while (this.#slotsTaken >= this.options.concurrency && !this.#stopping.signal.aborted) {
      await new Promise<void>((resolve) => this.#slotWaiters.push(resolve));
    }
    this.#slotsTaken += 1;
  }
}
