import { BoardwireError } from '@boardwire/client';
import type { AuditEntry } from '@boardwire/contracts';
import { Store } from '../../realtime/store.ts';
import { errorText } from '../../ui/error-text.ts';
import type { AuditApi } from './audit-api.ts';
import { EntryTail, type TailState } from './entry-tail.ts';
import type { Filter, Order } from './explorer-address.ts';

export interface ListView {
  entries: readonly AuditEntry[];
  /** Size of the log when the first page was read; undefined before. */
  size: number | undefined;
  hasMore: boolean;
  isLoading: boolean;
  failure: string | undefined;
  /** Undefined when nothing is tailed. */
  tail: TailState | undefined;
  isPaused: boolean;
  /** Arrived while paused, and shown when it goes on. */
  heldBack: number;
  /** Entries from this seq on came while the reader looked. */
  liveFrom: number;
  /** What lay below left the screen, since there was too much of it. */
  isCut: boolean;
}

const pageSize = 100;
/** Entries on the screen at once; narrower filters reach all others. */
export const entriesMax = 2_000;

/** The entries of one filter: pages by keyset, and at the top what arrives. */
export class EntryList {
  readonly view = new Store<ListView>({
    entries: [],
    size: undefined,
    hasMore: false,
    isLoading: true,
    failure: undefined,
    tail: undefined,
    isPaused: false,
    heldBack: 0,
    liveFrom: Infinity,
    isCut: false,
  });
  readonly #api: AuditApi;
  readonly #filter: Filter;
  readonly #order: Order;
  #ended = new AbortController();
  #cursor: string | undefined;
  #tail: EntryTail | undefined;
  #waiting: AuditEntry[] = [];

  constructor(api: AuditApi, { filter, order }: { filter: Filter; order: Order }) {
    this.#api = api;
    this.#filter = filter;
    this.#order = order;
  }

  /** Returns the way to close it. */
  open(): () => void {
    this.#ended = new AbortController();
    void this.#load(undefined);
    return () => {
      this.#ended.abort();
      this.follow(false);
    };
  }

  /** Begins again with the newest page. */
  reload(): void {
    this.#cursor = undefined;
    this.#waiting = [];
    this.#show({ heldBack: 0, isCut: false });
    void this.#load(undefined);
  }

  async loadMore(): Promise<void> {
    const { isLoading, hasMore } = this.view.value;
    if (!isLoading && hasMore) await this.#load(this.#cursor);
  }

  /** Follows the log's end from where the first page was read, or stops. Only newest first has a place for what comes. */
  follow(isWanted: boolean): void {
    const { size, tail } = this.view.value;
    if (!isWanted) {
      this.#tail?.close();
      this.#tail = undefined;
      if (tail !== undefined) this.#show({ tail: undefined, isPaused: false });
      return this.#showWaiting();
    }
    if (this.#tail !== undefined || size === undefined || this.#order !== 'newest') return;
    const after = Math.max(size - 1, this.view.value.entries[0]?.seq ?? -1);
    this.#tail = new EntryTail(
      this.#api,
      { filter: this.#filter, after },
      {
        onEntry: (entry) => this.#arrive(entry),
        onState: (state, error) => this.#show({ tail: state, ...(error && { failure: errorText(error) }) }),
      },
    );
  }

  setPaused(isPaused: boolean): void {
    this.#show({ isPaused });
    if (!isPaused) this.#showWaiting();
  }

  async #load(cursor: string | undefined): Promise<void> {
    const { signal } = this.#ended;
    this.#show({ isLoading: true, failure: undefined });
    try {
      const request = { filter: this.#filter, order: this.#order, cursor, limit: pageSize };
      const { entries, next, size } = await this.#api.entries(request, signal);
      if (signal.aborted) return;
      this.#cursor = next ?? undefined;
      // A search for what is rare hands over what it has so far, which may be nothing.
      if (entries.length === 0 && next !== null) {
        if (cursor === undefined) this.#show({ size, liveFrom: size, entries: [] });
        return await this.#load(next);
      }
      const known = cursor === undefined ? [] : this.view.value.entries;
      const all = [...known, ...entries];
      const hasMore = next !== null && all.length < entriesMax;
      const first = cursor === undefined ? { size, liveFrom: size } : {};
      this.#show({ ...first, entries: all, hasMore, isCut: next !== null && !hasMore, isLoading: false });
    } catch (error) {
      if (signal.aborted) return;
      this.#show({ isLoading: false, failure: failureText(error) });
    }
  }

  #arrive(entry: AuditEntry): void {
    this.#waiting.push(entry);
    if (this.#waiting.length > entriesMax) this.#waiting.shift();
    if (this.view.value.isPaused) this.#show({ heldBack: this.view.value.heldBack + 1 });
    else this.#showWaiting();
  }

  #showWaiting(): void {
    if (this.#waiting.length === 0) return;
    const { entries, hasMore } = this.view.value;
    // A page that was read meanwhile may hold some of them.
    const top = entries[0]?.seq ?? -1;
    const fresh = this.#waiting.splice(0).filter(({ seq }) => seq > top);
    const all = [...fresh.toReversed(), ...entries];
    // The cursor stands behind the last entry: once that has left the screen, there is no going on below it.
    const isCut = all.length > entriesMax || this.view.value.isCut;
    this.#show({
      entries: all.slice(0, entriesMax),
      heldBack: 0,
      isCut,
      hasMore: hasMore && !isCut,
    });
  }

  #show(change: Partial<ListView>): void {
    this.view.set({ ...this.view.value, ...change });
  }
}

function failureText(error: unknown): string {
  if (!(error instanceof BoardwireError)) return errorText(error);
  if (error.code === 'forbidden') return 'Your account may not read the audit log any more.';
  const wrong = error.errors.map(({ path, message }) => `${path.replace(/^query\.|\.[0-9]+$/g, '')}: ${message}`);
  return wrong.length === 0 ? errorText(error) : `This is no filter. ${wrong.join('; ')}.`;
}
