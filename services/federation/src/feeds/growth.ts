type Listener = (room: string) => void;

/** Tells, inside this process, that a feed of a room has become longer. */
export class Growth {
  readonly #listeners = new Set<Listener>();

  grown(room: string): void {
    for (const listener of this.#listeners) listener(room);
  }

  onGrown(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
