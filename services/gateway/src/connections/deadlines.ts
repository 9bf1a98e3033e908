/** Who must do something within a time that is the same for all: the first in is the first due, with one timer for all. */
export class Deadlines<T> {
  readonly #withinMs: number;
  readonly #due = new Map<T, number>();

  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  get size(): number {
    return this.#due.size;
  }

  /** The time begins, also for one for whom it had begun before. */
  set(item: T, now = performance.now()): void {
    this.#due.delete(item);
    this.#due.set(item, now + this.#withinMs);
  }

  delete(item: T): void {
    this.#due.delete(item);
  }

  /** Those whose time is up; they are not watched any more. */
  takeLate(now = performance.now()): T[] {
    const late: T[] = [];
    for (const [item, due] of this.#due) {
      if (due > now) break;
      this.#due.delete(item);
      late.push(item);
    }
    return late;
  }
}
