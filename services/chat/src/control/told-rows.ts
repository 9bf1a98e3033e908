import type { ChangeClock } from '../boards/change-clock.ts';
import { bounds } from '../bounds.ts';

export interface ToldRowsOptions<Row, Told> {
  clock: ChangeClock;
  /** A page holds so much: each row counts for one and for what it weighs. */
  pageMax: number;
  keyOf: (row: Row) => string;
  /** Undefined when there is nothing to say of it. */
  tell: (row: Row) => Told | undefined;
  /** How many things a row names; one that names none has ended. */
  weigh: (row: Row) => number;
}

/** A piece of what there is to tell. `next`: where the rest begins, when there is a rest. */
export interface ToldPage<Told> {
  told: Told[];
  next?: number;
}

interface Change<Row> {
  row: Row;
  changedAt: number;
}

/**
 * Rows of one kind, in memory for `/sync`. They stand in the order in which they were first seen, and an ended one keeps
 * its place: a complete answer in pages misses none that changes between two of them.
 */
export class ToldRows<Row, Told> {
  readonly #places = new Map<string, number>();
  readonly #rows: Row[] = [];
  #changes: Change<Row>[] = [];
  /** Changes up to this moment are not told apart any more. */
  #floor = -1;

  constructor(private readonly options: ToldRowsOptions<Row, Told>) {}

  /** The place behind the last one. */
  get end(): number {
    return this.#rows.length;
  }

  /** Without a word: nobody has been answered yet. */
  put(row: Row): void {
    const key = this.options.keyOf(row);
    const place = this.#places.get(key) ?? this.#rows.length;
    this.#places.set(key, place);
    this.#rows[place] = row;
  }

  change(row: Row): void {
    this.put(row);
    this.#changes.push({ row, changedAt: this.options.clock.tick() });
    if (this.#changes.length <= 2 * bounds.toldChangesKept) return;
    const gone = this.#changes.splice(0, bounds.toldChangesKept);
    this.#floor = gone.at(-1)!.changedAt;
  }

  /** These are all there are; what else was known has ended. */
  replace(rows: readonly Row[], ended: (row: Row) => Row): void {
    const { keyOf } = this.options;
    const found = new Map(rows.map((row) => [keyOf(row), row]));
    const added = rows.filter((row) => !this.#places.has(keyOf(row)));
    for (const known of this.#rows) this.change(found.get(keyOf(known)) ?? ended(known));
    for (const row of added) this.change(row);
  }

  /** Whether what changed after a moment can still be told by itself. */
  remembers(moment: number): boolean {
    return moment >= this.#floor;
  }

  /** All that have not ended, from a place on. */
  from(place: number): ToldPage<Told> {
    const page = new Page(this.options);
    for (let at = place; at < this.#rows.length; at += 1) {
      const row = this.#rows[at]!;
      if (this.options.weigh(row) > 0 && !page.add(row)) return { told: page.told, next: at };
    }
    return { told: page.told };
  }

  /** What changed after a moment, oldest first; `next` is the moment up to which it is told when that is not all. */
  since(moment: number): ToldPage<Told> {
    let first = this.#changes.length;
    while (first > 0 && this.#changes[first - 1]!.changedAt > moment) first -= 1;
    const page = new Page(this.options);
    for (let at = first; at < this.#changes.length; at += 1) {
      if (!page.add(this.#changes[at]!.row)) return { told: page.told, next: this.#changes[at - 1]!.changedAt };
    }
    return { told: page.told };
  }
}

/** Bounded by what it holds: a row may name one thing or hundreds. */
class Page<Row, Told> {
  readonly told: Told[] = [];
  readonly #options: ToldRowsOptions<Row, Told>;
  #weight = 0;

  constructor(options: ToldRowsOptions<Row, Told>) {
    this.#options = options;
  }

  /** False when it is full; the first one always fits. */
  add(row: Row): boolean {
    const { tell, weigh, pageMax } = this.#options;
    const told = tell(row);
    if (told === undefined) return true;
    this.#weight += 1 + weigh(row);
    if (this.told.length > 0 && this.#weight > pageMax) return false;
    this.told.push(told);
    return true;
  }
}
