import type { SyncResponse } from '@boardwire/contracts';
import type { Loop } from '@boardwire/service-kit';
import type { ChatLog } from './chat-log.ts';

export interface SyncLoopOptions {
  chat: ChatLog;
  apply: (changes: SyncResponse) => void;
  /** Called for the first failure after a success. */
  onFailure: (error: unknown) => void;
  /** Least time between two questions: heads of a busy board change all the time. */
  intervalMs: () => number;
}

const requestMsMax = 5_000;
const retryMsMax = 500;

/** Asks chat again and again what changed. It is always on: the truth that JetStream is measured against. */
export class SyncLoop {
  /** When chat last answered, milliseconds since the Unix epoch; 0 before the first answer. */
  answeredAt = 0;
  #version: string | undefined;
  #wake = () => {};

  constructor(private readonly options: SyncLoopOptions) {}

  /** Asks for everything, soon: somebody has seen what the last answer doesn't explain. */
  refresh(): void {
    // Everything is being asked for: asking anew at each message would never let an answer through.
    if (this.#version === undefined) return;
    this.#version = undefined;
    this.#wake();
  }

  async run(loop: Loop): Promise<void> {
    for (let failures = 0; !loop.signal.aborted;) {
      const startedAt = performance.now();
      const failed = await this.#ask(loop).then(
        () => false,
        (error: unknown) => {
          if (failures === 0 && !loop.signal.aborted) this.options.onFailure(error);
          return true;
        },
      );
      failures = failed ? failures + 1 : 0;
      const waitMs = failed ? Math.min(retryMsMax, 50 * failures) : this.options.intervalMs();
      await loop.idle(Math.max(0, startedAt + waitMs - performance.now()));
    }
  }

  async #ask(loop: Loop): Promise<void> {
    const version = this.#version;
    const request = new AbortController();
    const abort = () => request.abort(new Error('asked anew'));
    this.#wake = abort;
    loop.signal.addEventListener('abort', abort, { once: true });
    const answer = this.options.chat.sync(version, request.signal);
    // Beats while it waits; an answer that doesn't come in time is given up.
    await loop.idle(requestMsMax, Promise.race([answer, aborted(request.signal)]));
    loop.signal.removeEventListener('abort', abort);
    const isAskedAnew = request.signal.aborted;
    abort();
    if (isAskedAnew) return void answer.catch(() => undefined);
    const changes = await answer;
    this.options.apply(changes);
    // Only now: what could not be applied, a revocation perhaps, must come again.
    this.#version = changes.version;
    this.answeredAt = Date.now();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
