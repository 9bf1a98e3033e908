import type { Presence } from './presence-list.ts';

/** Who is here, asked again and again: an event stream has no way to tell joins and leaves. */
export class PresencePoll {
  readonly #ask: () => Promise<Presence>;
  readonly #tell: (presence: Presence) => void;
  readonly #everyMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Rises with each start and stop, so that an answer that comes late is dropped. */
  #round = 0;

  constructor(ask: () => Promise<Presence>, tell: (presence: Presence) => void, everyMs: number) {
    this.#ask = ask;
    this.#tell = tell;
    this.#everyMs = everyMs;
  }

  get isRunning(): boolean {
    return this.#round % 2 === 1;
  }

  start(): void {
    if (this.isRunning) return;
    this.#round += 1;
    void this.#look(this.#round);
  }

  stop(): void {
    if (!this.isRunning) return;
    this.#round += 1;
    clearTimeout(this.#timer);
  }

  async #look(round: number): Promise<void> {
    try {
      const presence = await this.#ask();
      if (round === this.#round) this.#tell(presence);
    } catch {
      // The list on the screen is old for one more round; the stream has its own way to say that the site is gone.
    }
    if (round === this.#round) this.#timer = setTimeout(() => void this.#look(round), this.#everyMs);
  }
}
