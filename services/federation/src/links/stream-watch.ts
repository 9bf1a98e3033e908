const patienceMs = { min: 3_000, max: 60_000 };

/**
 * Notices that a peer gets nothing of the stream that it has open here, as one does whose end of the connection has
 * vanished: what is written into such a connection is kept by the system for a quarter of an hour before it says so.
 */
export class StreamWatch {
  #place: number | undefined;
  #sinceMs = 0;
  #patienceMs = patienceMs.min;

  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Whether to end the stream: the peer has stood still for long while there was more for it. With each time it is
   * given longer, for a peer that has frozen the feed stands still as well.
   * @param place how far it says that it has the feed; undefined when it lacks nothing, or has said nothing
   */
  isDeaf(place: number | undefined): boolean {
    if (place === undefined) this.#patienceMs = patienceMs.min;
    if (place === undefined || place !== this.#place) {
      this.#place = place;
      this.#sinceMs = this.now();
    }
    if (place === undefined || this.now() - this.#sinceMs < this.#patienceMs) return false;
    this.#sinceMs = this.now();
    this.#patienceMs = Math.min(patienceMs.max, 2 * this.#patienceMs);
    return true;
  }
}
