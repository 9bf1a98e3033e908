import type { Stalled } from '@boardwire/contracts';

export interface StallWatchOptions {
  stalledAfterMs: number;
  /** Whether events could arrive by the bus now. */
  isStreaming: () => boolean;
  /** Milliseconds since the log last answered. */
  logSilentMs: () => number;
  onChange: (stalled: Stalled | undefined) => void;
}

/** A log that answers more often than this is a live source by itself. */
const logAnswersWithinMs = 2_500;

/**
 * Notices when no live source is left: neither the bus delivers nor the log answers. Heartbeats alone would pretend
 * that events can arrive.
 */
export class StallWatch {
  readonly #options: StallWatchOptions;
  #lostAt: number | undefined;
  #stalled: Stalled | undefined;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  get stalled(): Stalled | undefined {
    return this.#stalled;
  }

  /** To be called about twice a second. */
  look(now = Date.now()): void {
    const { isStreaming, logSilentMs, stalledAfterMs, onChange } = this.#options;
    const silentMs = logSilentMs();
    if (isStreaming() || silentMs < logAnswersWithinMs) {
      this.#lostAt = undefined;
      if (this.#stalled === undefined) return;
      this.#stalled = undefined;
      onChange(undefined);
      return;
    }
    this.#lostAt ??= now - silentMs;
    if (this.#stalled !== undefined || now - this.#lostAt < stalledAfterMs - logAnswersWithinMs) return;
    this.#stalled = { since: new Date(this.#lostAt).toISOString(), reason: 'log' };
    onChange(this.#stalled);
  }
}
