export interface MicroBatcherOptions<Work, Result> {
  /** Commits everything in one go; answers one result for each work, in order. Never called twice at once. */
  commit(batch: readonly Work[]): Promise<readonly Result[]>;
  /** Bounds of one commit; a single larger work still goes alone. */
  batchItemsMax: number;
  batchBytesMax: number;
  /** Items that may wait; one more is refused. */
  queueItemsMax: number;
  /** Whether a failed commit condemns what waits as well: without a database, waiting longer helps nobody. */
  failsAll(error: unknown): boolean;
}

export interface Sized {
  readonly items: number;
  readonly bytes: number;
}

interface Waiting<Work, Result> {
  work: Work;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Batches by itself: what arrives while a commit is in flight rides in the next one, in order of arrival. No timer, so
 * an idle site pays no latency and a busy one commits in large batches.
 */
export class MicroBatcher<Work extends Sized, Result> {
  #queue: Waiting<Work, Result>[] = [];
  #queuedItems = 0;
  #isCommitting = false;
  #idleWaiters: (() => void)[] = [];

  constructor(private readonly options: MicroBatcherOptions<Work, Result>) {}

  /** Items that wait or are being committed. */
  get depth(): number {
    return this.#queuedItems;
  }

  hasRoomFor(items: number): boolean {
    return this.#queuedItems === 0 || this.#queuedItems + items <= this.options.queueItemsMax;
  }

  /** Resolves after the commit that carried the work. Check {@link hasRoomFor} first. */
  add(work: Work): Promise<Result> {
    const done = new Promise<Result>((resolve, reject) => {
      this.#queue.push({ work, resolve, reject });
    });
    this.#queuedItems += work.items;
    if (!this.#isCommitting) void this.#drain();
    return done;
  }

  /** Resolves when nothing waits and nothing is in flight. */
  async idle(): Promise<void> {
    if (this.#isCommitting) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  async #drain(): Promise<void> {
    this.#isCommitting = true;
    while (this.#queue.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- one commit at a time is the point
      await this.#commitNext();
    }
    this.#isCommitting = false;
    for (const wake of this.#idleWaiters.splice(0)) wake();
  }

  async #commitNext(): Promise<void> {
    const batch = this.#takeBatch();
    try {
      const results = await this.options.commit(batch.map(({ work }) => work));
      if (results.length !== batch.length) throw new Error('a commit answered another number of results');
      this.#settled(batch);
      for (const [at, { resolve }] of batch.entries()) resolve(results[at] as Result);
    } catch (error) {
      const failed = this.options.failsAll(error) ? [...batch, ...this.#queue.splice(0)] : batch;
      this.#settled(failed);
      for (const { reject } of failed) reject(error);
    }
  }

  #takeBatch(): Waiting<Work, Result>[] {
    const { batchItemsMax, batchBytesMax } = this.options;
    let items = 0;
    let bytes = 0;
    let count = 0;
    for (const { work } of this.#queue) {
      if (count > 0 && (items + work.items > batchItemsMax || bytes + work.bytes > batchBytesMax)) break;
      items += work.items;
      bytes += work.bytes;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  #settled(works: readonly Waiting<Work, Result>[]): void {
    for (const { work } of works) this.#queuedItems -= work.items;
  }
}
