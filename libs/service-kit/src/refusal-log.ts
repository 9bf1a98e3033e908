import type { AppError } from './app-error.ts';
import type { Logger } from './logger.ts';

const everyMs = 1_000;

/**
 * Logs refusals that are not the client's fault, at most one line a second for each code: in an outage every request
 * is refused alike, and the metric counts them all.
 */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #lastMs = new Map<string, number>();
  readonly #suppressed = new Map<string, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  refused(error: AppError, route: string | undefined): void {
    const { code } = error;
    const now = performance.now();
    const suppressed = this.#suppressed.get(code) ?? 0;
    if (now - (this.#lastMs.get(code) ?? -everyMs) < everyMs) {
      this.#suppressed.set(code, suppressed + 1);
      return;
    }
    this.#lastMs.set(code, now);
    this.#suppressed.set(code, 0);
    this.#logger.warn({ event: 'request.refused', code, route, suppressed, err: error });
  }
}
