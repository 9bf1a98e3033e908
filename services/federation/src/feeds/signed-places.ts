import type { FeedPlace } from './feed-items.ts';

interface Signed {
  epoch: string;
  n: number;
  /** Epochs that this one came after. */
  former: Set<string>;
}

/** How far this process itself has signed each own feed: a database that says less was put back to an earlier state. */
export class SignedPlaces {
  readonly #signed = new Map<string, Signed>();

  /** These are stored, and may have been told to others. */
  add({ room, epoch }: FeedPlace, n: number): void {
    const before = this.#signed.get(room);
    const former = before?.former ?? new Set();
    if (before !== undefined && before.epoch !== epoch) former.add(before.epoch);
    this.#signed.set(room, { epoch, n, former });
  }

  isBehind({ room, epoch, n }: FeedPlace & { n: number }): boolean {
    const signed = this.#signed.get(room);
    if (signed === undefined) return false;
    return signed.epoch === epoch ? n < signed.n : signed.former.has(epoch);
  }
}
