const slotCount = 16;

/** Touches each of its items once a period, spread over the period so that ten thousand don't come at once. */
export class Wheel<T> {
  readonly #slots: Set<T>[] = Array.from({ length: slotCount }, () => new Set());
  readonly #slotOf = new Map<T, Set<T>>();
  readonly #periodMs: number;
  readonly #touch: (item: T) => void;
  #at = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(periodMs: number, touch: (item: T) => void) {
    this.#periodMs = periodMs;
    this.#touch = touch;
  }

  /** Its first turn comes after a whole period. */
  add(item: T): void {
    this.remove(item);
    const slot = this.#slots[this.#at]!;
    slot.add(item);
    this.#slotOf.set(item, slot);
  }

  remove(item: T): void {
    this.#slotOf.get(item)?.delete(item);
    this.#slotOf.delete(item);
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#turn(), this.#periodMs / slotCount).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #turn(): void {
    this.#at = (this.#at + 1) % slotCount;
    for (const item of this.#slots[this.#at]!) this.#touch(item);
  }
}
