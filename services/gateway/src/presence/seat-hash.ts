import { seatKey, type SeatState } from './seat.ts';

/**
 * A hash of a set of seats that changes with each of them and not with their order: hashes of the single ones, xored.
 * It finds faults, not attackers; whoever may publish on the bus may say anything there.
 */
export class SeatHash {
  #high = 0;
  #low = 0;

  get text(): string {
    return hex(this.#high) + hex(this.#low);
  }

  /** Takes a seat in, or out again. */
  toggle(state: SeatState): void {
    const text = `${seatKey(state)}\n${state.user.name}\n${state.open}`;
    let high = 0xdeadbeef;
    let low = 0x41c6ce57;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      high = Math.imul(high ^ code, 0x9e3779b1);
      low = Math.imul(low ^ code, 0x5f356495);
    }
    this.#high ^= mixed(high, low);
    this.#low ^= mixed(low, high);
  }
}

function mixed(one: number, other: number): number {
  return Math.imul(one ^ (one >>> 16), 0x85ebca6b) ^ Math.imul(other ^ (other >>> 13), 0xc2b2ae35);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
