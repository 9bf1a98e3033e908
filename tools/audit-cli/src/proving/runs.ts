import { CannotTell } from '../verdict.ts';

/** More holes than this, and a list of them would not help anybody. */
const runsMax = 100_000;

/** A set of whole numbers that mostly follow one another, kept as its runs. */
export class Runs {
  /** Sorted; between two there is at least one number missing. */
  readonly #runs: [first: number, last: number][] = [];

  /** False when the number was there already. */
  add(number: number): boolean {
    const at = this.#indexAfter(number);
    const [before, after] = [this.#runs[at - 1], this.#runs[at]];
    if (before !== undefined && number <= before[1]) return false;
    const joinsBefore = before !== undefined && before[1] === number - 1;
    const joinsAfter = after !== undefined && after[0] === number + 1;
    if (joinsBefore && joinsAfter) {
      before[1] = after[1];
      this.#runs.splice(at, 1);
    } else if (joinsBefore) before[1] = number;
    else if (joinsAfter) after[0] = number;
    else this.#runs.splice(at, 0, [number, number]);
    if (this.#runs.length > runsMax) throw new CannotTell(`more than ${runsMax} holes`);
    return true;
  }

  get last(): number {
    return this.#runs.at(-1)?.[1] ?? 0;
  }

  get first(): number {
    return this.#runs[0]?.[0] ?? 0;
  }

  /** The lowest number from `first` on that is not there. */
  firstMissing(first: number): number {
    let due = first;
    for (const [from, to] of this.#runs) {
      if (from > due) break;
      due = Math.max(due, to + 1);
    }
    return due;
  }

  /** What is missing up to the last number, from `first` on. */
  holes(first = 1): [first: number, last: number][] {
    const starts = [first - 1, ...this.#runs.map(([, last]) => last)];
    return this.#runs
      .map(([start], at): [number, number] => [starts[at]! + 1, start - 1])
      .filter(([from, to]) => from <= to);
  }

  /** The first run that starts behind the number. */
  #indexAfter(number: number): number {
    const newest = this.#runs.at(-1);
    if (newest === undefined || number >= newest[0]) return this.#runs.length;
    let [low, high] = [0, this.#runs.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#runs[middle]![0] > number) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
