import type { LoopStatus } from '@boardwire/contracts';
import type { Counter, Gauge } from 'prom-client';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { SupervisedLoop, type LoopBody } from './supervised-loop.ts';

export type { Loop, LoopBody } from './supervised-loop.ts';

/**
 * Liveness is counted in ticks, not read off the wall clock: when the whole event loop stalls, ticks and beats stall
 * together, and no loop is blamed for it.
 */
const tickMs = 100;
const stopWaitMs = 5_000;

/**
 * Every long-lived loop of a service runs here. One that never starts, returns, throws or misses two beats is
 * unhealthy at once, which `/readyz` tells; it is restarted with backoff. After `stop()` no timer is left.
 */
export class Supervisor {
  readonly #logger: Logger;
  readonly #loops = new Map<string, SupervisedLoop>();
  readonly #restarts: Counter<'loop'>;
  readonly #lastBeat: Gauge<'loop'>;
  #ticker: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor({ logger, metrics }: { logger: Logger; metrics: Metrics }) {
    this.#logger = logger;
    this.#restarts = metrics.counter('loop_restarts_total', 'Restarts of a supervised loop.', ['loop']);
    this.#lastBeat = metrics.gauge(
      'loop_last_beat_seconds',
      'Unix time of the last beat of a supervised loop; 0 before the first.',
      ['loop'],
      (gauge) => {
        for (const [loop, { lastBeatMs }] of this.#loops) gauge.set({ loop }, (lastBeatMs ?? 0) / 1_000);
      },
    );
    void this.#lastBeat;
  }

  /**
   * Starts a loop. Its body must beat at least every `beatEveryMs` (at most 1000) and live until its signal aborts;
   * it waits with `loop.idle`, and bounds every other wait.
   */
  run(name: string, { beatEveryMs }: { beatEveryMs: number }, body: LoopBody): void {
    if (this.#stopped) return;
    if (this.#loops.has(name)) throw new Error(`a loop named ${name} is already running`);
    if (!(beatEveryMs > 0 && beatEveryMs <= 1_000)) throw new RangeError('beatEveryMs must be in 1…1000');
    this.#ticker ??= this.#startTicking();
    this.#restarts.inc({ loop: name }, 0);
    const onRestart = () => this.#restarts.inc({ loop: name });
    const loop = new SupervisedLoop({ name, beatEveryMs, tickMs, body, onRestart, logger: this.#logger });
    this.#loops.set(name, loop);
    loop.start();
  }

  status(): LoopStatus[] {
    return [...this.#loops.values()].map((loop) => loop.status());
  }

  /** Names of the loops that don't live as they should. */
  unhealthy(): string[] {
    return [...this.#loops.values()].filter((loop) => !loop.isHealthy()).map((loop) => loop.name);
  }

  /** Aborts every loop and waits for the bodies to end, at most 5 s; says which did not. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop(stopWaitMs)));
  }

  #startTicking(): NodeJS.Timeout {
    const ticker = setInterval(() => {
      for (const loop of this.#loops.values()) loop.tick();
    }, tickMs);
    return ticker.unref();
  }
}
