/** Which seqs the mirror has, as far as there is no hole before them. */
export class AckedPrefix {
  #through: number;
  readonly #ahead = new Set<number>();

  constructor(through: number) {
    this.#through = through;
  }

  /** Everything up to this seq is acknowledged. */
  get through(): number {
    return this.#through;
  }

  add(seq: number): void {
    if (seq <= this.#through) return;
    if (seq !== this.#through + 1) {
      this.#ahead.add(seq);
      return;
    }
    this.#through = seq;
    while (this.#ahead.delete(this.#through + 1)) this.#through += 1;
  }

  /** Forgets what lies behind a hole: it is published again. */
  dropAhead(): void {
    this.#ahead.clear();
  }
}
