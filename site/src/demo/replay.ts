import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishReceipt } from '@boardwire/contracts';
import type { Cast } from './cast.ts';
import { board, scriptMs, type ScriptedEvent } from './script.ts';

export interface Accepted {
  seq: number;
  /** When the event was handed to the SDK, and when its 201 had come; local, monotonic. */
  sentMs: number;
  acceptedMs: number;
}

const tickMs = 5;
/** A site that answers nothing for so long is given up; one that is slow is waited for. */
const silenceMaxMs = 15_000;

/** Plays a script in a given time through the public API and keeps what the site accepted. */
export class Replay {
  readonly accepted = new Map<string, Accepted>();
  readonly failures: { id: string; error: Error }[] = [];
  /** When each event was handed over, also those without an answer yet. */
  readonly sentMs = new Map<string, number>();
  readonly #cast: Cast;

  constructor(cast: Cast) {
    this.#cast = cast;
  }

  /** Events handed over that have neither been accepted nor refused. */
  get unanswered(): number {
    return this.sentMs.size - this.accepted.size - this.failures.length;
  }

  /** Resolves when every event has its answer, or no answer comes any more. */
  async play(script: readonly ScriptedEvent[], seconds: number, onHalf: () => void): Promise<void> {
    const startedAt = performance.now();
    let next = 0;
    while (next < script.length) {
      const now = ((performance.now() - startedAt) / (seconds * 1_000)) * scriptMs;
      while (next < script.length && script[next]!.atMs <= now) {
        void this.#publish(script[next]!);
        next += 1;
        if (next === Math.ceil(script.length / 2)) onHalf();
      }
      if (next < script.length) await sleep(tickMs);
    }
    await this.#lastAnswers();
  }

  async #lastAnswers(): Promise<void> {
    let left = this.unanswered;
    let answeredAt = performance.now();
    while (left > 0 && performance.now() - answeredAt < silenceMaxMs) {
      await sleep(tickMs);
      if (this.unanswered < left) answeredAt = performance.now();
      left = this.unanswered;
    }
  }

  #publish({ publisher, event }: ScriptedEvent): Promise<void> {
    const sentMs = performance.now();
    this.sentMs.set(event.id, sentMs);
    return this.#cast
      .of(publisher)
      .publish(board, event)
      .then(
        ({ seq }: PublishReceipt) => void this.accepted.set(event.id, { seq, sentMs, acceptedMs: performance.now() }),
        (error: Error) => void this.failures.push({ id: event.id, error }),
      );
  }
}
