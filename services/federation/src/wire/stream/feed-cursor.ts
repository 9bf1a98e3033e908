import type { FeedPosition } from '@boardwire/contracts';
import type { EpochPosition } from './room-pulse.ts';

/** Where one stream stands in one site's feed. */
export class FeedCursor {
  readonly site: string;
  #epoch: string | undefined;
  #n: number;

  /** @param have what the peer has; undefined: nothing */
  constructor(site: string, have: Pick<FeedPosition, 'epoch' | 'n'> | undefined) {
    this.site = site;
    this.#epoch = have?.epoch;
    this.#n = have?.n ?? 0;
  }

  /** What comes next, of the feed's epochs from the oldest on; undefined while there is nothing. */
  next(epochs: readonly EpochPosition[]): { epoch: string; from: number; n: number } | undefined {
    this.#epoch ??= epochs[0]?.epoch;
    // An epoch that isn't known here: the peer is ahead of this site.
    for (let at = epochs.findIndex(({ epoch }) => epoch === this.#epoch); at >= 0 && at < epochs.length; at += 1) {
      const { epoch, n } = epochs[at]!;
      if (epoch !== this.#epoch) {
        this.#epoch = epoch;
        this.#n = 0;
      }
      if (this.#n < n) return { epoch, from: this.#n + 1, n };
      // A later epoch that is empty so far doesn't close this one: its last items may still be on their way to here.
      if ((epochs[at + 1]?.n ?? 0) === 0) return undefined;
    }
    return undefined;
  }

  moved(items: number): void {
    this.#n += items;
  }
}
