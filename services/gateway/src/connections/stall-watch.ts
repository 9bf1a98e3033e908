import type { Stalled } from '@boardwire/contracts';

export interface StallWatchOptions {
  stalledAfterMs: number;
  /** Whether events could arrive by the bus now. */
  isStreaming: () => boolean;
  /** Milliseconds since the log last answered. */
  logSilentMs: () => number;
  onChange: (stalled: Stalled | undefined) => void;
}

/** That the bus is lost is itself seen within 1.5 s; a look may be as late as half a second. */
const noticeMs = 2_000;
/** The log is asked all the time: its silence needs no one to notice. */
const lookMs = 1_000;

/**
 * Notices when a live source is lost: without the log nothing complete can arrive, whatever the bus still brings; without
 * the bus what is stored arrives late, read from the log, and what other gateways only pass on does not. Heartbeats alone
 * would pretend that all is well. Of both the log is the one that is told.
 */
export class StallWatch {
  readonly #options: StallWatchOptions;
  #busLostAt: number | undefined;
  #stalled: Stalled | undefined;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  get stalled(): Stalled | undefined {
    return this.#stalled;
  }

  /** To be called about twice a second. */
  look(now = Date.now()): void {
    const { isStreaming, onChange } = this.#options;
    if (isStreaming()) this.#busLostAt = undefined;
    else this.#busLostAt ??= now;
    const stalled = this.#lostLog(now) ?? this.#lostBus(now);
    if (stalled?.reason === this.#stalled?.reason) return;
    this.#stalled = stalled;
    onChange(stalled);
  }

  #lostLog(now: number): Stalled | undefined {
    const { logSilentMs, stalledAfterMs } = this.#options;
    const silentMs = logSilentMs();
    return silentMs < stalledAfterMs - lookMs ? undefined : { since: timeOf(now - silentMs), reason: 'log' };
  }

  #lostBus(now: number): Stalled | undefined {
    const since = this.#busLostAt;
    if (since === undefined || now - since < this.#options.stalledAfterMs - noticeMs) return undefined;
    return { since: timeOf(since), reason: 'bus' };
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
