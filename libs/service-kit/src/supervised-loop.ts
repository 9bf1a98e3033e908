import type { LoopStatus } from '@boardwire/contracts';
import type { Logger } from './logger.ts';

/** What a loop's body holds. */
export interface Loop {
  /** Aborts when the service stops, or when the body has missed so many beats that it is to be replaced. */
  readonly signal: AbortSignal;
  beat(): void;
  /** Sleeps, beating. Ends early, without an error, when the signal aborts or `wake` settles. */
  idle(ms: number, wake?: PromiseLike<unknown>): Promise<void>;
}

export type LoopBody = (loop: Loop) => Promise<void>;

export interface SupervisedLoopOptions {
  name: string;
  beatEveryMs: number;
  tickMs: number;
  body: LoopBody;
  onRestart: () => void;
  logger: Logger;
}

const backoffMinMs = 100;
const backoffMaxMs = 5_000;
/** A life this long was a success: the next failure starts with the shortest backoff again. */
const settledAfterMs = 10_000;
/** A body that has been silent this long is told to end, so that it can be started anew. */
const abandonAfterMs = 5_000;

/** One start of the body, until it returns or throws. */
interface Life {
  controller: AbortController;
  startedMs: number;
  ticks: number;
  ticksSinceBeat: number;
  hasBeaten: boolean;
}

/** One loop: runs its body again and again, and knows whether it lives as it should. */
export class SupervisedLoop {
  readonly name: string;
  lastBeatMs: number | undefined;
  readonly #options: SupervisedLoopOptions;
  #life: Life | undefined;
  #done: Promise<void> = Promise.resolve();
  #restarts = 0;
  /** Failures in a row; the exponent of the backoff. */
  #failures = 0;
  #lastError: string | null = null;
  #startedMs: number | undefined;
  #stopped = false;
  #wasHealthy = true;
  #wakeBackoff: (() => void) | undefined;

  constructor(options: SupervisedLoopOptions) {
    this.name = options.name;
    this.#options = options;
  }

  start(): void {
    this.#done = this.#keepRunning();
  }

  /**
   * The first life has two beat periods to beat for the first time. A later one is unhealthy until it has beaten and
   * lived for a period: a body that beats once and returns must not flicker into health at each restart.
   */
  isHealthy(): boolean {
    const life = this.#life;
    if (life === undefined) return false;
    const { tickMs, beatEveryMs } = this.#options;
    if (life.ticksSinceBeat * tickMs > 2 * beatEveryMs) return false;
    return this.#restarts === 0 || (life.hasBeaten && life.ticks * tickMs >= beatEveryMs);
  }

  tick(): void {
    const life = this.#life;
    if (life !== undefined) {
      life.ticks += 1;
      life.ticksSinceBeat += 1;
      if (life.ticksSinceBeat * this.#options.tickMs > abandonAfterMs) life.controller.abort(new Error('silent'));
    }
    this.#logChange();
  }

  status(): LoopStatus {
    const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
    return {
      name: this.name,
      alive: this.isHealthy(),
      startedAt: iso(this.#startedMs),
      lastBeatAt: iso(this.lastBeatMs),
      restarts: this.#restarts,
      lastError: this.#lastError,
    };
  }

  async stop(waitMs: number): Promise<void> {
    this.#stopped = true;
    this.#life?.controller.abort(new Error('stopping'));
    this.#wakeBackoff?.();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), waitMs);
    });
    const outcome = await Promise.race([this.#done, late]);
    clearTimeout(timer);
    if (outcome === 'late') this.#options.logger.error({ event: 'loop.unstoppable', loop: this.name });
  }

  async #keepRunning(): Promise<void> {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one life after the other
      await this.#live();
      if (this.#stopped) return;
      // oxlint-disable-next-line no-await-in-loop
      await this.#backoff();
      if (this.#stopped) return;
      this.#restarts += 1;
      this.#options.onRestart();
    }
  }

  async #live(): Promise<void> {
    const life: Life = {
      controller: new AbortController(),
      startedMs: Date.now(),
      ticks: 0,
      ticksSinceBeat: 0,
      hasBeaten: false,
    };
    this.#life = life;
    this.#startedMs = life.startedMs;
    try {
      await this.#options.body(this.#loopOf(life));
      if (!this.#stopped) this.#ended(life, new Error(silentOr(life, 'the body returned')));
    } catch (error) {
      if (!this.#stopped) this.#ended(life, error);
    } finally {
      this.#life = undefined;
      // What the body left behind, such as a listener on the signal, ends with its life.
      life.controller.abort(new Error('ended'));
    }
  }

  #ended(life: Life, error: unknown): void {
    this.#failures = Date.now() - life.startedMs >= settledAfterMs ? 1 : this.#failures + 1;
    this.#lastError = error instanceof Error ? error.message : String(error);
    this.#options.logger.error({ event: 'loop.ended', loop: this.name, restarts: this.#restarts, err: error });
  }

  #loopOf(life: Life): Loop {
    const beat = () => {
      life.hasBeaten = true;
      life.ticksSinceBeat = 0;
      this.lastBeatMs = Date.now();
    };
    const { signal } = life.controller;
    return {
      signal,
      beat,
      idle: (ms, wake) => idle({ ms, wake, beat, signal, beatEveryMs: this.#options.beatEveryMs }),
    };
  }

  #backoff(): Promise<void> {
    const ceiling = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#failures, 10));
    const delay = backoffMinMs + Math.random() * (ceiling - backoffMinMs);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#wakeBackoff = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #logChange(): void {
    const isHealthy = this.isHealthy();
    if (isHealthy === this.#wasHealthy) return;
    this.#wasHealthy = isHealthy;
    const fields = { event: isHealthy ? 'loop.recovered' : 'loop.unhealthy', loop: this.name };
    if (isHealthy) this.#options.logger.info(fields);
    else this.#options.logger.warn({ ...fields, lastError: this.#lastError });
  }
}

function silentOr(life: Life, otherwise: string): string {
  return life.controller.signal.aborted ? 'the body missed too many beats' : otherwise;
}

interface IdleOptions {
  ms: number;
  wake: PromiseLike<unknown> | undefined;
  beat: () => void;
  signal: AbortSignal;
  beatEveryMs: number;
}

function idle({ ms, wake, beat, signal, beatEveryMs }: IdleOptions): Promise<void> {
  beat();
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const beater = ms > beatEveryMs / 2 ? setInterval(beat, beatEveryMs / 2) : undefined;
    const timer = setTimeout(end, ms);
    function end(): void {
      clearInterval(beater);
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      beat();
      resolve();
    }
    signal.addEventListener('abort', end, { once: true });
    wake?.then(end, end);
  });
}
