import { federationLimits, type WireItem } from '@boardwire/contracts';
import { claimOf } from './blame.ts';

/** What may wait while a batch is taken: with more, whoever brings it waits. */
const waitingMax = { items: 4 * federationLimits.batchItemsMax, bytes: 4 * federationLimits.batchBytesMax };

/** What is done with a batch. */
export interface BatchWork<Checked> {
  /** Changes nothing: done ahead, and once more when the batch before left something to repair. */
  check: (items: readonly WireItem[]) => Promise<Checked>;
  /** True when nothing of it had to be repaired. */
  take: (checked: Checked) => Promise<boolean>;
}

interface Batch<Checked> {
  items: readonly Waiting[];
  checked: Promise<Checked>;
}

interface Waiting {
  item: WireItem;
  /** Whom it claims to be of. */
  site: string;
}

/**
 * Items on their way in: while one batch is taken the next one gathers, so that batches are as large as the work is slow,
 * and single events wait for nobody. A next one that is full already is checked meanwhile; it is taken after it, and what
 * it is taken into is as the batch before has left it.
 */
export class ItemBatches<Checked> {
  #waiting: Waiting[] = [];
  #bytes = 0;
  readonly #sites = new Map<string, number>();
  #running: Promise<void> | undefined;
  #isTaking = false;
  #ahead: Batch<Checked> | undefined;
  #error: unknown;
  #onTaken: () => void = () => undefined;

  constructor(
    private readonly work: BatchWork<Checked>,
    private readonly onError: () => void,
  ) {}

  get depth(): number {
    return this.#waiting.length;
  }

  /** Whether items that claim to be of this site are on their way in. */
  holds(site: string): boolean {
    return this.#sites.has(site);
  }

  /** Resolves when there is room for more. @throws whatever a batch before it failed with */
  async add(item: WireItem): Promise<void> {
    this.#rethrow();
    const site = claimOf(item)?.site ?? '';
    this.#waiting.push({ item, site });
    this.#bytes += sizeOf(item);
    this.#count(site, 1);
    this.#running ??= this.#run();
    this.#lookAhead();
    while (this.#isFull()) {
      // oxlint-disable-next-line no-await-in-loop -- until enough of it is taken
      await new Promise<void>((resolve) => (this.#onTaken = resolve));
    }
    this.#rethrow();
  }

  /** Resolves when everything was taken. @throws whatever a batch failed with */
  async settled(): Promise<void> {
    await this.#running;
    this.#rethrow();
  }

  async #run(): Promise<void> {
    // What the same chunk brought joins the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      for (let batch = this.#next(); batch !== undefined; batch = this.#next()) {
        // oxlint-disable-next-line no-await-in-loop -- one batch after the other
        await this.#take(batch);
      }
    } catch (error) {
      this.#error = error ?? new Error('a batch failed');
      this.#waiting = [];
      this.#ahead = undefined;
      this.#bytes = 0;
      this.#sites.clear();
      this.onError();
    } finally {
      this.#running = undefined;
      this.#onTaken();
    }
  }

  #next(): Batch<Checked> | undefined {
    const batch = this.#ahead ?? (this.#waiting.length > 0 ? this.#begin() : undefined);
    this.#ahead = undefined;
    return batch;
  }

  #begin(): Batch<Checked> {
    const items = this.#cut();
    return { items, checked: this.#check(items) };
  }

  #check(items: readonly Waiting[]): Promise<Checked> {
    const checked = this.work.check(items.map(({ item }) => item));
    // Whoever takes the batch hears of it.
    checked.catch(() => undefined);
    return checked;
  }

  #lookAhead(): void {
    if (this.#isTaking && this.#ahead === undefined && this.#hasFullBatch()) this.#ahead = this.#begin();
  }

  async #take({ items, checked }: Batch<Checked>): Promise<void> {
    const known = await checked;
    this.#isTaking = true;
    try {
      this.#lookAhead();
      const isSettled = await this.work.take(known);
      // A repair may have brought the very key that was missing.
      if (!isSettled && this.#ahead !== undefined) this.#ahead.checked = this.#check(this.#ahead.items);
    } finally {
      this.#isTaking = false;
    }
    for (const { site } of items) this.#count(site, -1);
    this.#onTaken();
  }

  #count(site: string, by: 1 | -1): void {
    const count = (this.#sites.get(site) ?? 0) + by;
    if (count > 0) this.#sites.set(site, count);
    else this.#sites.delete(site);
  }

  #cut(): Waiting[] {
    let bytes = 0;
    const limit = federationLimits.batchBytesMax;
    let count = 0;
    while (count < Math.min(this.#waiting.length, federationLimits.batchItemsMax)) {
      bytes += sizeOf(this.#waiting[count]!.item);
      if (count > 0 && bytes > limit) break;
      count += 1;
    }
    const batch = this.#waiting.splice(0, count);
    for (const { item } of batch) this.#bytes -= sizeOf(item);
    return batch;
  }

  #hasFullBatch(): boolean {
    return this.#waiting.length >= federationLimits.batchItemsMax || this.#bytes >= federationLimits.batchBytesMax;
  }

  #isFull(): boolean {
    return this.#waiting.length >= waitingMax.items || this.#bytes >= waitingMax.bytes;
  }

  #rethrow(): void {
    if (this.#error !== undefined) throw this.#error;
  }
}

const sizeOf = ({ h, data }: WireItem) => h.length + (data?.length ?? 0);
