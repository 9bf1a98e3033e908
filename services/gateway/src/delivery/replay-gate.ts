export interface ReplayGateOptions {
  /** How many replays may fetch at the same time. */
  concurrentMax: number;
  observeWait: (seconds: number) => void;
}

/** Let in at most so many in one turn of the event loop, so that a storm of resumes doesn't starve the rest. */
const admittedPerTurn = 64;

/**
 * Admission of replays on this pod. Each page of a replay takes its turn; nobody keeps a place while its socket
 * drains, so slow readers can't use the places up.
 */
export class ReplayGate {
  readonly #options: ReplayGateOptions;
  readonly #waiting: { since: number; admit: () => void }[] = [];
  #running = 0;
  #admittedThisTurn = 0;

  constructor(options: ReplayGateOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** True when the next one has to wait. */
  get isBusy(): boolean {
    return this.#waiting.length > 0 || this.#running >= this.#options.concurrentMax;
  }

  async run<T>(work: () => Promise<T> | T): Promise<T> {
    await this.#admission();
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#admitWaiting();
    }
  }

  #admission(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ since: performance.now(), admit: resolve });
      this.#admitWaiting();
    });
  }

  #admitWaiting(): void {
    while (this.#running < this.#options.concurrentMax && this.#admittedThisTurn < admittedPerTurn) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running += 1;
      if (this.#admittedThisTurn === 0) setImmediate(() => this.#nextTurn());
      this.#admittedThisTurn += 1;
      this.#options.observeWait((performance.now() - next.since) / 1_000);
      next.admit();
    }
  }

  #nextTurn(): void {
    this.#admittedThisTurn = 0;
    this.#admitWaiting();
  }
}
