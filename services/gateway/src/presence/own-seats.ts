import { seatKey, type Seat, type SeatState } from './seat.ts';
import { SeatHash } from './seat-hash.ts';

interface Kept {
  seat: Seat;
  open: number;
  /** What the other pods were told. */
  told: SeatState | undefined;
}

/** This pod's own seats, with what the others have been told of them: a version, a count and a hash. */
export class OwnSeats {
  readonly #kept = new Map<string, Kept>();
  readonly #changed = new Set<Kept>();
  readonly #hash = new SeatHash();
  #told = 0;
  #subscriptions = 0;
  /** Rises with each delta. */
  version = 0;
  onChange: () => void = () => {};

  /** Open subscriptions here. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** Of told seats. */
  get count(): number {
    return this.#told;
  }

  get hash(): string {
    return this.#hash.text;
  }

  change(seat: Seat, by: 1 | -1): void {
    const key = seatKey(seat);
    let kept = this.#kept.get(key);
    if (kept === undefined) this.#kept.set(key, (kept = { seat, open: 0, told: undefined }));
    kept.open += by;
    this.#subscriptions += by;
    this.#changed.add(kept);
    this.onChange();
  }

  subscribers(board: string): number {
    let sum = 0;
    for (const { seat, open } of this.#kept.values()) if (seat.board === board) sum += open;
    return sum;
  }

  /** Whether something changed that was not taken yet. */
  get hasChanges(): boolean {
    return this.#changed.size > 0;
  }

  /** What changed since the last time, to be told now. @param max seats to look at; the others stay for the next time */
  takeChanges(max = Infinity): SeatState[] {
    const changes: SeatState[] = [];
    let left = max;
    for (const kept of this.#changed) {
      if (left === 0) break;
      left -= 1;
      this.#changed.delete(kept);
      const state = { ...kept.seat, open: kept.open };
      // Whoever came back within the tick was never away.
      if (state.open !== (kept.told?.open ?? 0)) changes.push(this.#tell(kept, state));
      if (kept.open === 0) this.#kept.delete(seatKey(kept.seat));
    }
    return changes;
  }

  /** Everything that was told. */
  *told(): Iterable<SeatState> {
    for (const { told } of this.#kept.values()) if (told !== undefined) yield told;
  }

  #tell(kept: Kept, state: SeatState): SeatState {
    if (kept.told === undefined) this.#told += 1;
    else this.#hash.toggle(kept.told);
    kept.told = state.open === 0 ? undefined : state;
    if (kept.told === undefined) this.#told -= 1;
    else this.#hash.toggle(kept.told);
    return state;
  }
}
