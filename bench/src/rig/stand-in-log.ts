import {
  limits,
  matchesFilter,
  type AppendItem,
  type HistoryPage,
  type HistoryQuery,
  type RangeItem,
  type RangePage,
} from '@boardwire/contracts';

/** One board of the stand-in for chat: its newest events, in memory. */
export class StandInBoard {
  readonly epoch = 'benchlog';
  head = 0;
  /** The events from `head - kept.length + 1` on. */
  readonly #kept: RangeItem[] = [];

  constructor(
    readonly slug: string,
    readonly keptMax: number,
  ) {}

  append(subject: string, body: string): RangeItem {
    this.head += 1;
    const item: RangeItem = {
      seq: this.head,
      subject,
      type: 'bench.event',
      class: 'log',
      committedMs: Date.now(),
      datahash: '0'.repeat(64),
      body,
    };
    this.#kept.push(item);
    // In large steps: moving an array's items for each event would cost more than the event.
    if (this.#kept.length > 2 * this.keptMax) this.#kept.splice(0, this.keptMax);
    return item;
  }

  range(from: number, to: number): RangePage {
    const items = this.#from(from).filter(({ seq }) => seq <= to);
    return { board: this.slug, epoch: this.epoch, head: this.head, items: items.slice(0, limits.rangePageMax) };
  }

  history(query: HistoryQuery): HistoryPage {
    const { after, before, upTo = this.head, limit, countMax } = query;
    const last = Math.min(upTo, (before ?? Number.MAX_SAFE_INTEGER) - 1);
    const wanted = (item: RangeItem) =>
      item.seq <= last && query.subjects.some((filter) => matchesFilter(filter, item.subject));
    const found = this.#from((after ?? 0) + 1).filter(wanted);
    const items = after === undefined ? found.slice(-limit) : found.slice(0, limit);
    const page = { board: this.slug, epoch: this.epoch, head: this.head, items, more: items.length < found.length };
    return countMax === undefined ? page : { ...page, count: Math.min(countMax, found.length) };
  }

  #from(seq: number): RangeItem[] {
    const oldest = this.head - this.#kept.length + 1;
    return this.#kept.slice(Math.max(0, seq - oldest));
  }
}

/** An accepted event as it is stored. */
export function storedBody(board: string, { id, source, type, subject, data, author }: AppendItem): string {
  return JSON.stringify({ specversion: '1.0', id, source, type, subject, data, board, author, class: 'log' });
}
