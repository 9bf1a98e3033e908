/**
 * Encoded pieces of replays, kept for the others of a storm: clients that lost the same gateway come back with the
 * same cursor and filters. Bounded in bytes; the longest unused goes first.
 */
export class SliceCache {
  readonly #bytesMax: number;
  readonly #slices = new Map<string, Buffer>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  take(key: string, encode: () => Buffer): Buffer {
    const known = this.#slices.get(key);
    if (known !== undefined) {
      this.#slices.delete(key);
      this.#slices.set(key, known);
      return known;
    }
    const slice = encode();
    if (slice.length > this.#bytesMax) return slice;
    this.#slices.set(key, slice);
    this.#bytes += slice.length;
    this.#trim();
    return slice;
  }

  clear(): void {
    this.#slices.clear();
    this.#bytes = 0;
  }

  #trim(): void {
    for (const [key, slice] of this.#slices) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#slices.delete(key);
      this.#bytes -= slice.length;
    }
  }
}
