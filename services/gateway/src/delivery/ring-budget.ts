import type { BoardRing } from './board-ring.ts';

/**
 * Bounds the rings of all boards of a pod together. Over it, the board that has been quiet for longest lets go of its
 * oldest events first: who comes back to it reads from chat.
 */
export class RingBudget {
  readonly #bytesMax: number;
  readonly #onLetGo: (events: number) => void;
  /** Those that hold events, quiet for longest first. */
  readonly #rings = new Set<BoardRing>();
  #bytes = 0;

  constructor(bytesMax: number, onLetGo: (events: number) => void) {
    this.#bytesMax = bytesMax;
    this.#onLetGo = onLetGo;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get bytesFree(): number {
    return Math.max(0, this.#bytesMax - this.#bytes);
  }

  /** A ring holds so much more, or less. */
  count(bytes: number): void {
    this.#bytes += bytes;
  }

  /** A ring has new events: others, quiet for longer, make room. */
  touched(ring: BoardRing): void {
    this.#rings.delete(ring);
    this.#rings.add(ring);
    if (this.#bytes <= this.#bytesMax) return;
    let letGo = 0;
    for (const quiet of this.#rings) {
      letGo += quiet.shrink(this.#bytes - this.#bytesMax);
      if (quiet.size === 0) this.#rings.delete(quiet);
      if (this.#bytes <= this.#bytesMax) break;
    }
    this.#onLetGo(letGo);
  }

  /** A ring is not used any more. */
  forget(ring: BoardRing): void {
    this.#rings.delete(ring);
  }
}
